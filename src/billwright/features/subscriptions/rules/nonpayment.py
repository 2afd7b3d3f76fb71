"""What becomes of a subscription whose payment is missing, given up on, or has come after all?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from billwright.features.catalog.model import PlanVersion
from billwright.features.subscriptions.events import (
    SubscriptionBecamePastDue,
    SubscriptionBecameUnpaid,
    SubscriptionRecovered,
)
from billwright.features.subscriptions.model import (
    Pause,
    PauseProration,
    Subscription,
)
from billwright.features.subscriptions.rules.decision import keep_decision
from billwright.features.subscriptions.rules.kept_period import owed_again
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.features.subscriptions.rules.next_action import next_action_at
from billwright.features.subscriptions.rules.pausing import going_on, owed_at_standstill
from billwright.features.subscriptions.rules.transition import Facts, Transition

_RECOVER = "subscription.recover"


def become_past_due(
    subscription: Subscription, version: PlanVersion, *, since: datetime, now: datetime
) -> Transition:
    """A payment is missing. Nothing else changes: it is served and renewed as before."""
    state = LIFECYCLE.next(subscription.state, Action.MARK_PAST_DUE)
    return keep_decision(
        subscription,
        decided=replace(subscription, state=state, past_due_at=since),
        version=version,
        action="subscription.mark_past_due",
        event=SubscriptionBecamePastDue(
            subject_id=subscription.id,
            account_id=subscription.account_id,
            number=subscription.number,
            past_due_at=since,
        ),
        now=now,
    )


def recover_from_past_due(
    subscription: Subscription, version: PlanVersion, *, now: datetime
) -> Transition:
    """What was missing has been paid. Its period has gone on all the time."""
    state = LIFECYCLE.next(subscription.state, Action.RECOVER)
    return keep_decision(
        subscription,
        decided=replace(subscription, state=state, past_due_at=None),
        version=version,
        action=_RECOVER,
        event=_recovered_event(subscription),
        now=now,
    )


def become_unpaid(
    subscription: Subscription, facts: Facts, *, at: datetime, now: datetime
) -> Transition:
    """Service stops at an instant, as in a pause that keeps its period: what ran in arrears is owed up
    to there, and what was paid in advance is not given back.
    """
    charges, redemptions = owed_at_standstill(
        subscription, facts, proration=PauseProration.NONE, at=at
    )
    stopped = become_unpaid_unbilled(subscription, facts.version, at=at, now=now)
    unpaid = replace(stopped.after, pause=Pause(taken_back=owed_again(facts)))
    return replace(stopped, after=unpaid, charges=charges, redemptions=redemptions)


def become_unpaid_unbilled(
    subscription: Subscription, version: PlanVersion, *, at: datetime, now: datetime
) -> Transition:
    """Service stops at an instant, and nothing is billed. A pending change is dropped."""
    unpaid = replace(
        subscription,
        state=LIFECYCLE.next(subscription.state, Action.MARK_UNPAID),
        pending_change=None,
        unpaid_change=None,
        version=subscription.version + 1,
        updated_at=now,
    )
    return Transition(
        action="subscription.mark_unpaid",
        before=subscription,
        after=replace(unpaid, next_action_at=next_action_at(unpaid)),
        version=version,
        at=at,
        events=(
            SubscriptionBecameUnpaid(
                subject_id=unpaid.id,
                account_id=unpaid.account_id,
                number=unpaid.number,
                unpaid_at=at,
            ),
        ),
    )


def recover_from_unpaid(
    subscription: Subscription, facts: Facts, *, at: datetime, now: datetime
) -> Transition:
    """Go on with the period that was charged, if it still runs; else a new period begins and is
    charged, and new periods are counted from here.
    """
    recovered = replace(
        subscription,
        state=LIFECYCLE.next(subscription.state, Action.RECOVER),
        past_due_at=None,
        pause=Pause(),
        version=subscription.version + 1,
        updated_at=now,
    )
    transition = going_on(subscription, after=recovered, facts=facts, at=at, action=_RECOVER)
    return replace(transition, events=(_recovered_event(transition.after),))


def recover_when_billable(
    subscription: Subscription, version: PlanVersion, *, now: datetime
) -> Transition | None:
    """Let the billing run recover an unpaid subscription whose new period cannot be billed now, as
    soon as it can; none when that is noted already.
    """
    if subscription.pause.resumes_at is not None:
        return None
    waiting = replace(
        subscription,
        pause=replace(subscription.pause, at=now, resumes_at=now),
        version=subscription.version + 1,
        updated_at=now,
    )
    return Transition(
        action="subscription.recover_when_billable",
        before=subscription,
        after=replace(waiting, next_action_at=next_action_at(waiting)),
        version=version,
        at=now,
    )


def _recovered_event(subscription: Subscription) -> SubscriptionRecovered:
    return SubscriptionRecovered(
        subject_id=subscription.id,
        account_id=subscription.account_id,
        number=subscription.number,
        period_start=subscription.period.start,
        period_end=subscription.period.end,
    )
