"""What happens when a trial ends, or its end moves?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from billwright.features.catalog.model import PlanVersion, TrialEndBehavior
from billwright.features.subscriptions.errors import trial_end_invalid, trial_to_be_canceled
from billwright.features.subscriptions.events import (
    SubscriptionPaused,
    SubscriptionTrialExtended,
)
from billwright.features.subscriptions.model import (
    CancellationReason,
    Pause,
    Subscription,
    TrialState,
)
from billwright.features.subscriptions.rules.beginning import (
    LONGEST_TRIAL,
    begin_paid,
    concluded,
    in_trial_until,
    trial_end_after,
)
from billwright.features.subscriptions.rules.ending import end_at
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.features.subscriptions.rules.next_action import next_action_at
from billwright.features.subscriptions.rules.transition import Facts, Transition


def end_trial(
    subscription: Subscription, facts: Facts, *, at: datetime, now: datetime
) -> Transition:
    """End a trial at an instant: the paid life begins there, unless the account has no payment method
    and the subscription says to pause or to cancel without one.
    """
    ended = replace(
        subscription, trial=replace(subscription.trial, end=max(at, _start(subscription)))
    )
    if not subscription.renews:
        return end_at(ended, facts, at=at, reason=CancellationReason.NOT_RENEWED, now=now)
    if not facts.has_payment_method:
        match subscription.trial.end_behavior:
            case TrialEndBehavior.PAUSE:
                return _pause(ended, facts, before=subscription, at=at, now=now)
            case TrialEndBehavior.CANCEL:
                return end_at(ended, facts, at=at, reason=CancellationReason.TRIAL_ENDED, now=now)
            case TrialEndBehavior.CREATE_INVOICE:
                pass
    paid = begin_paid(ended, facts, at=at, action=Action.END_TRIAL, now=now)
    return replace(paid, action="subscription.end_trial", before=subscription)


def end_trial_early(
    subscription: Subscription, facts: Facts, *, following: PlanVersion, at: datetime, now: datetime
) -> Transition:
    """End a trial before its time, as at its end: a cancellation and a change that were to come with the
    end come now.
    """
    if subscription.cancellation.at_period_end:
        ended = replace(subscription, trial=replace(subscription.trial, end=at))
        transition = end_at(ended, facts, at=at, reason=CancellationReason.REQUESTED, now=now)
    else:
        changed, ahead = with_change_at_end(subscription, facts, following=following)
        transition = end_trial(changed, ahead, at=at, now=now)
    return replace(transition, before=subscription)


def convert_trial(
    subscription: Subscription, facts: Facts, *, following: PlanVersion, at: datetime, now: datetime
) -> Transition:
    """Begin the paid life now, whether or not the account has a payment method. A change that was to
    come at the trial's end comes with it. Refuses: `state_forbids`, `trial_to_be_canceled`.
    """
    LIFECYCLE.next(subscription.state, Action.END_TRIAL)
    cancel_at = subscription.cancellation.at
    if cancel_at is not None and cancel_at <= subscription.period.end:
        raise trial_to_be_canceled(cancel_at=cancel_at.isoformat())
    changed, ahead = with_change_at_end(subscription, facts, following=following)
    ended = replace(changed, trial=replace(changed.trial, end=max(at, _start(changed))))
    paid = begin_paid(ended, ahead, at=at, action=Action.END_TRIAL, now=now)
    return replace(paid, action="subscription.convert_trial", before=subscription)


def with_change_at_end(
    subscription: Subscription, facts: Facts, *, following: PlanVersion
) -> tuple[Subscription, Facts]:
    """A subscription whose trial ends, and its facts, after the change that was to come with the end."""
    pending = subscription.pending_change
    if pending is None or not pending.at_period_end:
        return subscription, facts
    changed = replace(
        subscription,
        plan_version_id=pending.plan_version_id,
        items=pending.items,
        pending_change=None,
    )
    return changed, replace(facts, version=following)


def extend_trial(
    subscription: Subscription, facts: Facts, *, end: datetime, now: datetime
) -> Transition:
    """Move a trial's end forward. Refuses: `trial_end_invalid` for an instant that is not later than
    the end or more than two years away, `state_forbids`.
    """
    state = LIFECYCLE.next(subscription.state, Action.EXTEND_TRIAL)
    if not subscription.period.end < end <= now + LONGEST_TRIAL:
        raise trial_end_invalid(
            pointer="/trial_end",
            trial_end=end.isoformat(),
            current=subscription.period.end.isoformat(),
        )
    pending = subscription.pending_change
    if pending is not None and pending.at_period_end:
        pending = replace(pending, effective_at=end)
    extended = in_trial_until(
        replace(
            subscription,
            state=state,
            pending_change=pending,
            version=subscription.version + 1,
            updated_at=now,
        ),
        facts.version,
        end=end,
        zone=facts.zone,
    )
    return Transition(
        action="subscription.extend_trial",
        before=subscription,
        after=extended,
        version=facts.version,
        at=now,
        events=(
            SubscriptionTrialExtended(
                subject_id=extended.id, account_id=extended.account_id, trial_end=end
            ),
        ),
    )


def trial_end_under(
    subscription: Subscription, version: PlanVersion, *, zone: str, now: datetime
) -> datetime:
    """Where a trial ends after a change to another plan: the new plan's length counted from where the
    trial began, and now when that has passed.
    """
    start = _start(subscription)
    return max(trial_end_after(start, days=version.terms.trial_days, zone=zone), now)


def _start(subscription: Subscription) -> datetime:
    return subscription.trial.start or subscription.started_at


def _pause(
    ended: Subscription, facts: Facts, *, before: Subscription, at: datetime, now: datetime
) -> Transition:
    paused = replace(
        ended,
        state=LIFECYCLE.next(ended.state, Action.PAUSE),
        trial=concluded(ended.trial, TrialState.ENDED),
        pause=Pause(at=at, keeps_period=False),
        version=ended.version + 1,
        updated_at=now,
    )
    paused = replace(paused, next_action_at=next_action_at(paused))
    return Transition(
        action="subscription.end_trial",
        before=before,
        after=paused,
        version=facts.version,
        at=at,
        events=(
            SubscriptionPaused(
                subject_id=paused.id, account_id=paused.account_id, paused_at=at, resumes_at=None
            ),
        ),
    )
