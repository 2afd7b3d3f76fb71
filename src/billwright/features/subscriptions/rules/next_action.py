"""When must a job look at a subscription again?"""

from __future__ import annotations

from datetime import datetime

from billwright.features.subscriptions.model import Subscription, SubscriptionState


def next_action_at(subscription: Subscription) -> datetime | None:
    """Its end when that comes first, else its period's end; never, once it has ended."""
    if subscription.state is not SubscriptionState.ACTIVE:
        return None
    if subscription.cancel_at is not None:
        return min(subscription.cancel_at, subscription.period.end)
    return subscription.period.end
