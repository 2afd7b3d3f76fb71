"""When are people reminded of what happens at the end of a trial or a period, and what is that?"""

from __future__ import annotations

from datetime import datetime, timedelta

from billwright.features.catalog.model import TrialEndBehavior
from billwright.features.subscriptions.model import Boundary, Subscription, SubscriptionState
from billwright.kernel.calendar import Interval, IntervalUnit

LONGEST_NOTICE_DAYS = 90
"""How many days before the end a reminder may come at the earliest."""

_RENEWING = frozenset({SubscriptionState.ACTIVE, SubscriptionState.PAST_DUE})
_RUNNING = _RENEWING | {SubscriptionState.TRIALING}
_BEFORE_RENEWAL = 7
_BEFORE_END_OF_TRIAL = 3
_BEFORE_END_OF_SHORT_TRIAL = 1
_SHORT_TRIAL_DAYS = 3
# Half a year in each unit. Shorter cycles renew without a reminder.
_LONG_CYCLE = {
    IntervalUnit.HOUR: 182 * 24,
    IntervalUnit.DAY: 182,
    IntervalUnit.WEEK: 26,
    IntervalUnit.MONTH: 6,
    IntervalUnit.YEAR: 1,
}
# Clocks that go forward make a trial of so many days an hour shorter.
_CLOCK_CHANGE = timedelta(hours=1)


def reminds_at(subscription: Subscription) -> datetime | None:
    """When people are to be reminded of the end that comes next; none when they are not, or were. Where
    that many days before it nothing had begun, it is at the beginning. Days are 24 hours.
    """
    end, reminder = subscription.period.end, subscription.reminder
    if reminder.sent_for == end or not _asks_for_reminder(subscription):
        return None
    days = _usual_days(subscription) if reminder.days is None else reminder.days
    return max(subscription.period.start, end - timedelta(days=days)) if days else None


def at_boundary(subscription: Subscription, *, has_payment_method: bool) -> Boundary:
    """What happens at the end of the trial or the period that is running, as things stand."""
    if not renews_at_end(subscription):
        return Boundary.END
    if subscription.state is SubscriptionState.TRIALING and not has_payment_method:
        match subscription.trial.end_behavior:
            case TrialEndBehavior.PAUSE:
                return Boundary.PAUSE
            case TrialEndBehavior.CANCEL:
                return Boundary.END
            case TrialEndBehavior.CREATE_INVOICE:
                pass
    return Boundary.CONTINUE


def renews_at_end(subscription: Subscription) -> bool:
    """Whether a subscription that is running goes on after its trial or period by itself."""
    return subscription.state in _RUNNING and subscription.renews and not _is_canceled(subscription)


def _asks_for_reminder(subscription: Subscription) -> bool:
    """A trial that ends is told of whatever comes then; who has canceled knows."""
    if subscription.state is SubscriptionState.TRIALING:
        return not _is_canceled(subscription)
    return subscription.state in _RENEWING and renews_at_end(subscription)


def _is_canceled(subscription: Subscription) -> bool:
    cancel_at = subscription.cancellation.at
    return cancel_at is not None and cancel_at <= subscription.period.end


def _usual_days(subscription: Subscription) -> int:
    if subscription.state is not SubscriptionState.TRIALING:
        return _BEFORE_RENEWAL if _is_long(subscription.schedule.interval) else 0
    period = subscription.period
    length = (period.end - period.start + _CLOCK_CHANGE) // timedelta(days=1)
    if length > _SHORT_TRIAL_DAYS:
        return _BEFORE_END_OF_TRIAL
    return _BEFORE_END_OF_SHORT_TRIAL if length else 0


def _is_long(interval: Interval) -> bool:
    return interval.count >= _LONG_CYCLE[interval.unit]
