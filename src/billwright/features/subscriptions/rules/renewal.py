"""What happens when a period ends?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from billwright.features.catalog.model import PlanVersion
from billwright.features.subscriptions.events import SubscriptionChanged, SubscriptionRenewed
from billwright.features.subscriptions.model import PendingChange, Subscription
from billwright.features.subscriptions.rules.discounting import discounted_in_turn
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.features.subscriptions.rules.next_action import next_action_in
from billwright.features.subscriptions.rules.periods import fits, schedule_from
from billwright.features.subscriptions.rules.service_charges import (
    added_once,
    charges_in_advance,
    charges_in_arrears,
)
from billwright.features.subscriptions.rules.transition import Facts, Transition
from billwright.kernel.calendar import Period, Schedule, rezone
from billwright.kernel.currency import currency_of
from billwright.kernel.quick import replaced


def renew(
    subscription: Subscription, facts: Facts, *, following: PlanVersion, now: datetime
) -> Transition:
    """End the period and begin the next one, under `following`: the version that a pending change
    names, or the one that the subscription has.

    What ran in arrears is owed for the old period, what is paid in advance for the new one.
    """
    at = subscription.period.end
    state = LIFECYCLE.next(subscription.state, Action.RENEW)
    owed = charges_in_arrears(subscription, facts, until=at)
    schedule, period = _next_period(subscription, following, zone=facts.zone)
    change = subscription.pending_change
    comes_true = change is not None and change.effective_at <= at
    pending = None if comes_true else change
    renewed = replaced(
        subscription,
        state=state,
        schedule=schedule,
        period=period,
        pending_change=pending,
        unpaid_change=None,
        next_action_at=next_action_in(
            period, cancel_at=subscription.cancellation.at, change=pending
        ),
        version=subscription.version + 1,
        updated_at=now,
    )
    if change is not None and comes_true:
        renewed = replace(renewed, plan_version_id=change.plan_version_id, items=change.items)
    ahead = facts if following is facts.version else replace(facts, version=following)
    added = added_once(subscription, facts, after=renewed, ahead=ahead, at=at) if comes_true else ()
    charges, redemptions = discounted_in_turn(
        [
            (subscription.period.start, owed),
            (period.start, (*added, *charges_in_advance(renewed, ahead, start=period.start))),
        ],
        facts.redemptions,
        currency=currency_of(renewed.currency),
    )
    return Transition(
        action="subscription.renew",
        before=subscription,
        after=renewed,
        version=following,
        at=at,
        charges=charges,
        redemptions=redemptions,
        events=_events(renewed, change if comes_true else None, version=following),
    )


def _next_period(
    subscription: Subscription, version: PlanVersion, *, zone: str
) -> tuple[Schedule, Period]:
    """A version of another interval begins its own periods here; another zone takes effect here."""
    schedule, ended = subscription.schedule, subscription.period
    if not fits(schedule, version):
        schedule = schedule_from(ended.end, version=version, zone=zone)
        return schedule, schedule.containing(ended.end)
    if schedule.zone != zone:
        schedule = rezone(schedule, zone=zone, after=ended)
    return schedule, schedule.following(ended)


def _events(
    renewed: Subscription, change: PendingChange | None, *, version: PlanVersion
) -> tuple[SubscriptionRenewed | SubscriptionChanged, ...]:
    event = SubscriptionRenewed(
        subject_id=renewed.id,
        account_id=renewed.account_id,
        period_index=renewed.period.index,
        period_start=renewed.period.start,
        period_end=renewed.period.end,
    )
    if change is None:
        return (event,)
    changed = SubscriptionChanged(
        subject_id=renewed.id,
        account_id=renewed.account_id,
        plan_code=version.plan_code,
        plan_version=version.number,
        effective_at=change.effective_at,
        proration=change.proration,
    )
    return (changed, event)
