"""What happens when a trial ends, or its end moves?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from billwright.features.catalog.model import PlanVersion, TrialEndBehavior
from billwright.features.subscriptions.errors import trial_end_invalid
from billwright.features.subscriptions.events import (
    SubscriptionPaused,
    SubscriptionTrialExtended,
)
from billwright.features.subscriptions.model import (
    CancellationReason,
    Pause,
    Subscription,
)
from billwright.features.subscriptions.rules.beginning import (
    begin_paid,
    in_trial_until,
    trial_end_after,
)
from billwright.features.subscriptions.rules.ending import end_at
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.features.subscriptions.rules.next_action import next_action_at
from billwright.features.subscriptions.rules.transition import Facts, Transition

_LONGEST = timedelta(days=730)


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


def extend_trial(
    subscription: Subscription, facts: Facts, *, end: datetime, now: datetime
) -> Transition:
    """Move a trial's end forward. Refuses: `trial_end_invalid` for an instant that is not later than
    the end or more than two years away, `state_forbids`.
    """
    state = LIFECYCLE.next(subscription.state, Action.EXTEND_TRIAL)
    if not subscription.period.end < end <= now + _LONGEST:
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
