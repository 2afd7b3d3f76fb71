"""What happens to a subscription at its next instant?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from billwright.features.catalog.model import PlanVersion
from billwright.features.subscriptions.model import (
    CancellationReason,
    PendingChange,
    Subscription,
    SubscriptionState,
)
from billwright.features.subscriptions.rules.beginning import begin
from billwright.features.subscriptions.rules.change import Target, change
from billwright.features.subscriptions.rules.ending import end_at
from billwright.features.subscriptions.rules.nonpayment import recover_from_unpaid
from billwright.features.subscriptions.rules.pausing import resume
from billwright.features.subscriptions.rules.renewal import renew
from billwright.features.subscriptions.rules.transition import Facts, Transition
from billwright.features.subscriptions.rules.trial import end_trial, with_change_at_end


def take_step(
    subscription: Subscription, facts: Facts, *, following: PlanVersion, now: datetime
) -> Transition:
    """Do what is due first. One step at a time: a subscription that is several periods behind comes
    back here for each. `following` is the version of its pending change, or its own.
    """
    at = subscription.next_action_at
    if at is None or at > now:
        raise ValueError(f"{subscription.reference} has nothing to do before {at}")
    cancel_at = subscription.cancellation.at
    if cancel_at is not None and cancel_at <= at:
        return end_at(subscription, facts, at=at, reason=CancellationReason.REQUESTED, now=now)
    match subscription.state:
        case SubscriptionState.SCHEDULED:
            return begin(subscription, facts, now=now)
        case SubscriptionState.INCOMPLETE:
            return end_at(subscription, facts, at=at, reason=CancellationReason.TIMEOUT, now=now)
        case _ if subscription.pause.resumes_at is not None:
            return _after_standstill(subscription, facts, at=at, now=now)
        case SubscriptionState.TRIALING:
            return _end_trial(subscription, facts, following=following, at=at, now=now)
        case _:
            return _in_period(subscription, facts, following=following, at=at, now=now)


def _after_standstill(
    subscription: Subscription, facts: Facts, *, at: datetime, now: datetime
) -> Transition:
    if subscription.state is SubscriptionState.UNPAID:
        return recover_from_unpaid(subscription, facts, at=at, now=now)
    return resume(subscription, facts, at=at, now=now)


def _in_period(
    subscription: Subscription,
    facts: Facts,
    *,
    following: PlanVersion,
    at: datetime,
    now: datetime,
) -> Transition:
    pending = subscription.pending_change
    if pending is not None and at < subscription.period.end:
        return _change(subscription, facts, following=following, pending=pending, at=at, now=now)
    if not subscription.renews:
        return end_at(subscription, facts, at=at, reason=CancellationReason.NOT_RENEWED, now=now)
    return renew(subscription, facts, following=following, now=now)


def _end_trial(
    subscription: Subscription,
    facts: Facts,
    *,
    following: PlanVersion,
    at: datetime,
    now: datetime,
) -> Transition:
    pending = subscription.pending_change
    if pending is None or pending.effective_at > at:
        return end_trial(subscription, facts, at=at, now=now)
    if at < subscription.period.end:
        return _change(subscription, facts, following=following, pending=pending, at=at, now=now)
    changed, ahead = with_change_at_end(subscription, facts, following=following)
    return replace(end_trial(changed, ahead, at=at, now=now), before=subscription)


def _change(
    subscription: Subscription,
    facts: Facts,
    *,
    following: PlanVersion,
    pending: PendingChange,
    at: datetime,
    now: datetime,
) -> Transition:
    return change(
        subscription,
        facts,
        target=Target(version=following, items=pending.items),
        at=at,
        proration=pending.proration,
        now=now,
    )
