"""How does the paid life of a subscription begin, and when?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

from billwright.features.catalog.model import PlanVersion
from billwright.features.invoicing.model import InvoiceTiming
from billwright.features.subscriptions.errors import trial_until_invalid
from billwright.features.subscriptions.events import (
    SubscriptionStarted,
    SubscriptionTrialStarted,
)
from billwright.features.subscriptions.model import (
    Activation,
    Subscription,
    Trial,
    TrialState,
)
from billwright.features.subscriptions.rules.discounting import discounted
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.features.subscriptions.rules.next_action import next_action_at
from billwright.features.subscriptions.rules.periods import (
    ending_with_its_period,
    schedule_from,
)
from billwright.features.subscriptions.rules.service_charges import (
    charges_in_advance,
    one_time_charges,
)
from billwright.features.subscriptions.rules.transition import Facts, Transition
from billwright.kernel.calendar import Period, local_date, resolve
from billwright.kernel.currency import currency_of

PAYMENT_WINDOW = timedelta(hours=23)
"""How long an incomplete subscription waits for its first payment (as Stripe's does)."""


LONGEST_TRIAL = timedelta(days=730)


def trial_end_after(start: datetime, *, days: int, zone: str) -> datetime:
    """The instant at which the clocks of the zone show the start's time of day, `days` days later."""
    day = local_date(start, zone)
    midnight = resolve(datetime.combine(day, time()), zone)
    end_midnight = resolve(datetime.combine(day + timedelta(days=days), time()), zone)
    return end_midnight + (start - midnight)


def begin(subscription: Subscription, facts: Facts, *, now: datetime) -> Transition:
    """Start a scheduled subscription: with its trial when it has one, else with its first period."""
    at = subscription.started_at
    if subscription.trial.end is not None and subscription.trial.end > at:
        return _begin_trial(subscription, facts, now=now)
    paid = begin_paid(subscription, facts, at=at, action=Action.START, now=now)
    owed_minor = sum(charge.amount_minor for charge in paid.charges)
    if subscription.activation is Activation.ON_FIRST_PAYMENT and owed_minor > 0:
        waiting = replace(
            paid.after,
            state=LIFECYCLE.next(subscription.state, Action.AWAIT_PAYMENT),
            activates_until=max(at, now) + PAYMENT_WINDOW,
        )
        waiting = replace(waiting, next_action_at=next_action_at(waiting))
        return replace(paid, after=waiting, events=(), timing=InvoiceTiming.AT_ONCE)
    return paid


def begin_paid(
    subscription: Subscription, facts: Facts, *, at: datetime, action: Action, now: datetime
) -> Transition:
    """Begin the first paid period at an instant: what is owed once, and in advance for the period."""
    schedule = schedule_from(at, version=facts.version, zone=facts.zone)
    begun = replace(
        subscription,
        state=LIFECYCLE.next(subscription.state, action),
        trial=concluded(subscription.trial, TrialState.CONVERTED),
        schedule=schedule,
        period=schedule.containing(at),
        version=subscription.version + 1,
        updated_at=now,
    )
    begun = replace(begun, next_action_at=next_action_at(begun))
    charges, redemptions = discounted(
        [
            *one_time_charges(begun, facts, at=at),
            *charges_in_advance(begun, facts, start=begun.period.start),
        ],
        facts.redemptions,
        currency=currency_of(begun.currency),
        period_start=begun.period.start,
    )
    return Transition(
        action="subscription.start",
        before=subscription,
        after=begun,
        version=facts.version,
        at=at,
        charges=charges,
        redemptions=redemptions,
        events=(_started_event(begun, facts.version),),
    )


def activate(subscription: Subscription, version: PlanVersion, *, now: datetime) -> Transition:
    """Give access to a subscription whose first invoice is paid; its period is the one that was."""
    active = replace(
        subscription,
        state=LIFECYCLE.next(subscription.state, Action.ACTIVATE),
        activates_until=None,
        version=subscription.version + 1,
        updated_at=now,
    )
    active = replace(active, next_action_at=next_action_at(active))
    return Transition(
        action="subscription.activate",
        before=subscription,
        after=active,
        version=version,
        at=now,
        events=(_started_event(active, version),),
    )


def _started_event(subscription: Subscription, version: PlanVersion) -> SubscriptionStarted:
    """That a subscription gives access from now on, as a paid one."""
    return SubscriptionStarted(
        subject_id=subscription.id,
        account_id=subscription.account_id,
        number=subscription.number,
        plan_code=version.plan_code,
        plan_name=version.name,
        period_start=subscription.period.start,
        period_end=subscription.period.end,
    )


def _begin_trial(subscription: Subscription, facts: Facts, *, now: datetime) -> Transition:
    at, end = subscription.started_at, subscription.trial.end
    assert end is not None  # noqa: S101 - the caller has looked
    begun = in_trial_until(
        replace(
            subscription,
            state=LIFECYCLE.next(subscription.state, Action.START_TRIAL),
            trial=replace(subscription.trial, start=at),
            version=subscription.version + 1,
            updated_at=now,
        ),
        facts.version,
        end=end,
        zone=facts.zone,
    )
    return Transition(
        action="subscription.start_trial",
        before=subscription,
        after=begun,
        version=facts.version,
        at=at,
        events=(
            SubscriptionTrialStarted(
                subject_id=begun.id,
                account_id=begun.account_id,
                number=begun.number,
                plan_code=facts.version.plan_code,
                plan_name=facts.version.name,
                trial_start=at,
                trial_end=end,
            ),
        ),
    )


def in_trial_until(
    subscription: Subscription, version: PlanVersion, *, end: datetime, zone: str
) -> Subscription:
    """The subscription in a trial that ends then: the trial is its period, and the schedule that is
    kept begins where it ends.
    """
    start = subscription.trial.start or subscription.started_at
    trying = ending_with_its_period(
        replace(
            subscription,
            trial=replace(subscription.trial, start=start, end=end, state=TrialState.ACTIVE),
            schedule=schedule_from(end, version=version, zone=zone),
            period=Period(0, start, end),
        )
    )
    return replace(trying, next_action_at=next_action_at(trying))


def planned_trial(
    version: PlanVersion,
    *,
    start: datetime,
    days: int | None,
    zone: str,
    until: datetime | None = None,
) -> Trial:
    """The trial of a new subscription: until an instant, of its own length, or of the plan's; none of no
    days. Refuses: `trial_until_invalid`.
    """
    length = version.terms.trial_days if days is None else days
    behavior = version.terms.trial_end_behavior
    if until is not None:
        if not start < until <= start + LONGEST_TRIAL:
            raise trial_until_invalid(
                pointer="/trial_until", start=start.isoformat(), trial_until=until.isoformat()
            )
    elif not length:
        return Trial(end_behavior=behavior)
    end = until or trial_end_after(start, days=length, zone=zone)
    return Trial(
        start=start,
        end=end,
        original_end=end,
        state=TrialState.SCHEDULED,
        end_behavior=behavior,
    )


def concluded(trial: Trial, state: TrialState) -> Trial:
    """A trial that is over; what never was one stays so."""
    return trial if trial.end is None else replace(trial, state=state)
