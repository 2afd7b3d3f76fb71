"""When must a job look at a subscription again?"""

from __future__ import annotations

from datetime import datetime

from billwright.features.subscriptions.model import (
    PendingChange,
    Subscription,
    SubscriptionState,
)
from billwright.kernel.calendar import Period


def next_action_at(subscription: Subscription) -> datetime | None:
    """The first instant at which something is to happen by itself; none when nothing is."""
    cancel_at = subscription.cancellation.at
    match subscription.state:
        case SubscriptionState.SCHEDULED:
            return subscription.started_at
        case SubscriptionState.INCOMPLETE:
            return subscription.activates_until
        case SubscriptionState.TRIALING | SubscriptionState.ACTIVE | SubscriptionState.PAST_DUE:
            return next_action_in(
                subscription.period, cancel_at=cancel_at, change=subscription.pending_change
            )
        case SubscriptionState.PAUSED | SubscriptionState.UNPAID:
            known = [at for at in (cancel_at, subscription.pause.resumes_at) if at is not None]
            return min(known, default=None)
        case _:
            return None


def next_action_in(
    period: Period, *, cancel_at: datetime | None, change: PendingChange | None
) -> datetime:
    """The first of what can happen in a period that is running."""
    at = period.end
    if cancel_at is not None and cancel_at < at:
        at = cancel_at
    if change is not None and change.effective_at < at:
        at = change.effective_at
    return at
