"""What do a pause and a resumption cost?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from billwright.features.invoicing.model import InvoiceTiming, NewCharge
from billwright.features.promotions.model import Redemption
from billwright.features.subscriptions.events import SubscriptionPaused, SubscriptionResumed
from billwright.features.subscriptions.model import (
    Pause,
    PauseProration,
    Subscription,
    SubscriptionState,
    TrialState,
)
from billwright.features.subscriptions.rules.beginning import concluded
from billwright.features.subscriptions.rules.discounting import discounted
from billwright.features.subscriptions.rules.kept_period import (
    accruing_again,
    held_until_renewal,
    owed_again,
)
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.features.subscriptions.rules.next_action import next_action_at
from billwright.features.subscriptions.rules.periods import schedule_from
from billwright.features.subscriptions.rules.service_charges import (
    charges_in_advance,
    charges_in_arrears,
    one_time_charges,
)
from billwright.features.subscriptions.rules.transition import Facts, Transition
from billwright.features.subscriptions.rules.unused_credits import in_arrears, unused_credits
from billwright.kernel.currency import currency_of


def pause(
    subscription: Subscription,
    facts: Facts,
    *,
    proration: PauseProration,
    resumes_at: datetime | None,
    at: datetime,
    now: datetime,
) -> Transition:
    """Pause a subscription at an instant. What ran in arrears is owed up to there; what was paid in
    advance is credited, or waits for a resumption within its period. A pending change is dropped.
    """
    paused = replace(
        subscription,
        state=LIFECYCLE.next(subscription.state, Action.PAUSE),
        pause=Pause(
            at=at,
            resumes_at=resumes_at,
            keeps_period=proration is PauseProration.NONE
            and subscription.state is not SubscriptionState.TRIALING,
        ),
        pending_change=None,
        unpaid_change=None,
        version=subscription.version + 1,
        updated_at=at,
    )
    if subscription.state is SubscriptionState.TRIALING:
        paused = replace(paused, trial=concluded(paused.trial, TrialState.ENDED))
    paused = replace(paused, next_action_at=next_action_at(paused))
    charges: tuple[NewCharge, ...] = ()
    redemptions: tuple[Redemption, ...] = ()
    if subscription.state is SubscriptionState.ACTIVE:
        charges, redemptions = owed_at_standstill(subscription, facts, proration=proration, at=at)
        paused = replace(paused, pause=replace(paused.pause, taken_back=owed_again(facts)))
    return Transition(
        action="subscription.pause",
        before=subscription,
        after=paused,
        version=facts.version,
        at=at,
        charges=charges,
        timing=(
            InvoiceTiming.AT_ONCE if proration is PauseProration.CREDIT else InvoiceTiming.BY_POLICY
        ),
        redemptions=redemptions,
        events=(
            SubscriptionPaused(
                subject_id=paused.id,
                account_id=paused.account_id,
                paused_at=at,
                resumes_at=resumes_at,
            ),
        ),
    )


def owed_at_standstill(
    subscription: Subscription, facts: Facts, *, proration: PauseProration, at: datetime
) -> tuple[tuple[NewCharge, ...], tuple[Redemption, ...]]:
    """What a subscription whose service stops at an instant owes and gets back, and the promotions that
    change by it.
    """
    live = facts.live
    if proration is PauseProration.NONE:
        live = in_arrears(live, facts.live_versions)
    currency = currency_of(subscription.currency)
    return discounted(
        [
            *charges_in_arrears(subscription, facts, until=at),
            *unused_credits(
                live,
                facts.live_versions,
                at=at,
                currency=currency,
                redemptions=facts.redemptions,
            ),
        ],
        facts.redemptions,
        currency=currency,
        period_start=subscription.period.start,
    )


def resume(subscription: Subscription, facts: Facts, *, at: datetime, now: datetime) -> Transition:
    """Go on with the period that was paused, if it was kept and still runs; else a new period begins,
    and new periods are counted from here.
    """
    resumed = replace(
        subscription,
        state=LIFECYCLE.next(subscription.state, Action.RESUME),
        pause=Pause(),
        version=subscription.version + 1,
        updated_at=now,
    )
    return going_on(subscription, after=resumed, facts=facts, at=at, action="subscription.resume")


def going_on(
    before: Subscription,
    *,
    after: Subscription,
    facts: Facts,
    at: datetime,
    action: str,
) -> Transition:
    """Service that stood still goes on at an instant; time in which there was none is not charged."""
    goes_on = before.pause.keeps_period and at < before.period.end
    if goes_on:
        after = replace(after, items=accruing_again(before.items, at=at))
        owed = held_until_renewal(after, facts, at=at)
    else:
        schedule = schedule_from(at, version=facts.version, zone=facts.zone)
        items = tuple(replace(item, accrues_from=None) for item in before.items)
        after = replace(
            after,
            items=items,
            trial=concluded(after.trial, TrialState.CONVERTED),
            schedule=schedule,
            period=schedule.containing(at),
            bills_from=None,
        )
        first = _first_charges(after, facts, at=at) if _was_in_trial(before) else ()
        owed = first + charges_in_advance(after, facts, start=after.period.start)
    charges, redemptions = discounted(
        owed,
        facts.redemptions,
        currency=currency_of(after.currency),
        period_start=after.period.start,
    )
    after = replace(after, next_action_at=next_action_at(after))
    return Transition(
        action=action,
        before=before,
        after=after,
        version=facts.version,
        at=at,
        charges=charges,
        timing=InvoiceTiming.LATER if goes_on else InvoiceTiming.BY_POLICY,
        redemptions=redemptions,
        events=(
            SubscriptionResumed(
                subject_id=after.id,
                account_id=after.account_id,
                period_start=after.period.start,
                period_end=after.period.end,
            ),
        ),
    )


def _was_in_trial(paused: Subscription) -> bool:
    """Whether its paid life never began: then the period that it was in is the trial."""
    return paused.trial.start is not None and paused.period.start == paused.trial.start


def _first_charges(begun: Subscription, facts: Facts, *, at: datetime) -> tuple[NewCharge, ...]:
    items = tuple(item for item in begun.items if item.plan_component_id not in facts.charged_once)
    return one_time_charges(replace(begun, items=items), facts, at=at)
