"""How does a subscription end, and when may it?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from billwright.features.catalog.model import ComponentKind, PlanTerms, PlanVersion
from billwright.features.invoicing.model import ChargeKind, InvoiceTiming, NewCharge
from billwright.features.subscriptions.events import SubscriptionCanceled, SubscriptionExpired
from billwright.features.subscriptions.model import (
    CancellationProration,
    CancellationReason,
    Subscription,
    SubscriptionState,
    Trial,
    TrialState,
)
from billwright.features.subscriptions.rules.discounting import discounted
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.features.subscriptions.rules.service_charges import charges_in_arrears
from billwright.features.subscriptions.rules.transition import Facts, Transition
from billwright.features.subscriptions.rules.unused_credits import in_arrears, unused_credits
from billwright.kernel.currency import currency_of

_BEFORE_PAID_LIFE = frozenset({SubscriptionState.SCHEDULED, SubscriptionState.TRIALING})
_OF_THE_TRIAL = frozenset({CancellationReason.TRIAL_ENDED, CancellationReason.NOT_RENEWED})
_BILLED_STATES = frozenset({SubscriptionState.ACTIVE, SubscriptionState.PAST_DUE})


def first_permitted_end(
    subscription: Subscription, terms: PlanTerms, *, asked_at: datetime
) -> datetime:
    """The first instant at which the terms let a subscription end that is canceled now: after the
    notice and the commitment, and at a period's end where the terms say so. Days are 24 hours.

    A trial may be ended at any time, and so may what has not started.
    """
    if subscription.state in {
        SubscriptionState.SCHEDULED,
        SubscriptionState.INCOMPLETE,
        SubscriptionState.TRIALING,
    }:
        return asked_at
    earliest = max(
        asked_at + timedelta(days=terms.notice_days),
        subscription.started_at + timedelta(days=terms.commitment_days),
    )
    if terms.ends_at_period_end and subscription.state in _BILLED_STATES:
        return end_of_period_at(subscription, earliest)
    return earliest


def end_of_period_at(subscription: Subscription, instant: datetime) -> datetime:
    """The end of the period in which an instant lies; an instant that is a boundary is that end."""
    if instant <= subscription.period.end:
        return subscription.period.end
    period = subscription.schedule.containing(instant)
    return instant if period.start == instant else period.end


def end_at(
    subscription: Subscription,
    facts: Facts,
    *,
    at: datetime,
    reason: CancellationReason,
    now: datetime,
) -> Transition:
    """End a subscription at an instant: what ran in arrears is owed up to there (usage only when the
    cancellation bills it), and the unused rest of what was charged is given back if it says so.
    """
    action = Action.EXPIRE if reason is CancellationReason.TIMEOUT else Action.CANCEL
    state = LIFECYCLE.next(subscription.state, action)
    cancellation = subscription.cancellation
    ended = replace(
        subscription,
        state=state,
        ended_at=at,
        next_action_at=None,
        pending_change=None,
        unpaid_change=None,
        trial=_trial_at_end(subscription, reason=cancellation.reason or reason),
        cancellation=replace(
            cancellation,
            at=at,
            requested_at=cancellation.requested_at or now,
            reason=cancellation.reason or reason,
        ),
        version=subscription.version + 1,
        updated_at=now,
    )
    charges, redemptions = discounted(
        [*_final_charges(subscription, facts, at=at), *_given_back(subscription, facts, at=at)],
        facts.redemptions,
        currency=currency_of(subscription.currency),
        period_start=subscription.period.start,
    )
    return Transition(
        action="subscription.end",
        before=subscription,
        after=ended,
        version=facts.version,
        at=at,
        charges=charges,
        timing=InvoiceTiming.AT_ONCE,
        redemptions=redemptions,
        events=(_ended_event(ended, facts.version, at=at),),
    )


def _trial_at_end(subscription: Subscription, *, reason: CancellationReason) -> Trial:
    trial = subscription.trial
    if trial.end is None or subscription.state not in _BEFORE_PAID_LIFE:
        return trial
    ended = TrialState.ENDED if reason in _OF_THE_TRIAL else TrialState.CANCELED
    return replace(trial, state=ended)


def _final_charges(
    subscription: Subscription, facts: Facts, *, at: datetime
) -> tuple[NewCharge, ...]:
    if subscription.state not in _BILLED_STATES:
        return ()
    charges = charges_in_arrears(subscription, facts, until=at)
    if subscription.cancellation.bills_final_usage:
        return charges
    usage = {
        component.id
        for component in facts.version.components
        if component.kind is ComponentKind.USAGE
    }
    return tuple(
        charge
        for charge in charges
        if charge.kind is ChargeKind.RECURRING or charge.plan_component_id not in usage
    )


def _given_back(subscription: Subscription, facts: Facts, *, at: datetime) -> tuple[NewCharge, ...]:
    """What was charged early although it is owed in arrears is taken back whatever was agreed."""
    proration = subscription.cancellation.proration or CancellationProration.NONE
    live = facts.live
    if proration is CancellationProration.NONE:
        live = in_arrears(live, facts.live_versions)
    return unused_credits(
        live,
        facts.live_versions,
        at=at,
        currency=currency_of(subscription.currency),
        redemptions=facts.redemptions,
    )


def _ended_event(
    ended: Subscription, version: PlanVersion, *, at: datetime
) -> SubscriptionCanceled | SubscriptionExpired:
    if ended.state is SubscriptionState.EXPIRED:
        return SubscriptionExpired(subject_id=ended.id, account_id=ended.account_id, expired_at=at)
    return SubscriptionCanceled(
        subject_id=ended.id,
        account_id=ended.account_id,
        ended_at=at,
        plan_code=version.plan_code,
        plan_name=version.name,
        reason=ended.cancellation.reason,
        feedback=ended.cancellation.feedback,
    )
