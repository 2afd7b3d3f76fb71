"""What happens to a subscription at its next instant?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from billwright.features.catalog.model import PlanVersion
from billwright.features.invoicing.model import NewCharge
from billwright.features.subscriptions.model import Subscription, SubscriptionState
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.features.subscriptions.rules.next_action import next_action_at
from billwright.features.subscriptions.rules.period_charges import (
    charges_in_advance,
    charges_in_arrears,
)


@dataclass(frozen=True, slots=True)
class Crossing:
    """A subscription before and after a boundary, what it owes there, and when that was."""

    before: Subscription
    after: Subscription
    charges: tuple[NewCharge, ...]
    at: datetime

    @property
    def ended(self) -> bool:
        return self.after.state is SubscriptionState.CANCELED


def cross_boundary(subscription: Subscription, version: PlanVersion, *, now: datetime) -> Crossing:
    """End the subscription if that is due, else renew it for the period that follows.

    One boundary at a time: a subscription that is several periods behind comes back here for each.
    """
    at = subscription.next_action_at
    if at is None or at > now:
        raise ValueError(f"{subscription.reference} has nothing to do before {at}")
    if subscription.cancel_at is not None and subscription.cancel_at <= at:
        return end_at(subscription, version, at=at, now=now)
    return _renew(subscription, version, at=at, now=now)


def end_at(
    subscription: Subscription, version: PlanVersion, *, at: datetime, now: datetime
) -> Crossing:
    """End a subscription at `at`; what runs in arrears is owed up to there."""
    state = LIFECYCLE.next(subscription.state, Action.CANCEL)
    ended = replace(
        subscription,
        state=state,
        ended_at=at,
        next_action_at=None,
        version=subscription.version + 1,
        updated_at=now,
    )
    charges = charges_in_arrears(subscription, version, period=subscription.period, until=at)
    return Crossing(subscription, ended, charges, at)


def _renew(
    subscription: Subscription, version: PlanVersion, *, at: datetime, now: datetime
) -> Crossing:
    state = LIFECYCLE.next(subscription.state, Action.RENEW)
    period = subscription.schedule.following(subscription.period)
    renewed = replace(
        subscription,
        state=state,
        period=period,
        next_action_at=next_action_at(state=state, period=period, cancel_at=subscription.cancel_at),
        version=subscription.version + 1,
        updated_at=now,
    )
    charges = charges_in_arrears(
        subscription, version, period=subscription.period, until=subscription.period.end
    ) + charges_in_advance(renewed, version, period=period)
    return Crossing(subscription, renewed, charges, at)
