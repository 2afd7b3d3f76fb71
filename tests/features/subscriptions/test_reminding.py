"""When is somebody reminded of the end of a trial or a period?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.catalog.model import TrialEndBehavior
from billwright.features.subscriptions.model import (
    Boundary,
    Cancellation,
    Reminder,
    Subscription,
    SubscriptionId,
    SubscriptionState,
    Trial,
)
from billwright.features.subscriptions.rules.reminding import at_boundary, reminds_at
from billwright.kernel.calendar import Interval, IntervalUnit, Period, anniversary_schedule
from billwright.kernel.ids import new_id

BEGAN = datetime(2026, 1, 15, 12, tzinfo=UTC)
TRIALING, ACTIVE = SubscriptionState.TRIALING, SubscriptionState.ACTIVE


def subscription(
    *,
    state: SubscriptionState = ACTIVE,
    unit: IntervalUnit = IntervalUnit.YEAR,
    count: int = 1,
    **changes: Any,
) -> Subscription:
    schedule = anniversary_schedule(BEGAN, zone="Europe/Berlin", interval=Interval(unit, count))
    values: dict[str, Any] = {
        "id": SubscriptionId(new_id()),
        "number": 1,
        "external_id": None,
        "account_id": new_id(),
        "plan_version_id": new_id(),
        "state": state,
        "currency": "EUR",
        "schedule": schedule,
        "period": schedule.containing(BEGAN),
        "items": (),
        "started_at": BEGAN,
        "next_action_at": None,
        "test_clock_id": None,
        "version": 1,
        "created_at": BEGAN,
        "updated_at": BEGAN,
    }
    return Subscription(**{**values, **changes})


def trial(length: timedelta, **changes: Any) -> Subscription:
    period = Period(0, BEGAN, BEGAN + length)
    return subscription(state=TRIALING, unit=IntervalUnit.MONTH, period=period, **changes)


@pytest.mark.parametrize(
    ("length", "before"),
    [
        (timedelta(hours=22), None),
        (timedelta(days=1), timedelta(days=1)),
        (timedelta(days=3), timedelta(days=1)),
        # Three days in which clocks go back are an hour longer, four in which they go forward shorter.
        (timedelta(days=3, minutes=59), timedelta(days=1)),
        (timedelta(days=3, hours=23), timedelta(days=3)),
        (timedelta(days=14), timedelta(days=3)),
    ],
)
def test_before_the_end_of_a_trial(length: timedelta, before: timedelta | None):
    one = trial(length)
    assert reminds_at(one) == (None if before is None else one.period.end - before)


def test_a_trial_of_a_day_that_has_23_hours_is_told_of_at_its_beginning():
    assert reminds_at(trial(timedelta(hours=23))) == BEGAN


@pytest.mark.parametrize(
    ("unit", "count", "is_told"),
    [
        (IntervalUnit.MONTH, 5, False),
        (IntervalUnit.MONTH, 6, True),
        (IntervalUnit.YEAR, 1, True),
        (IntervalUnit.WEEK, 25, False),
        (IntervalUnit.WEEK, 26, True),
        (IntervalUnit.DAY, 181, False),
        (IntervalUnit.DAY, 182, True),
        (IntervalUnit.HOUR, 4367, False),
        (IntervalUnit.HOUR, 4368, True),
    ],
)
def test_before_a_renewal_of_half_a_year_or_more(unit: IntervalUnit, count: int, is_told: bool):
    one = subscription(unit=unit, count=count)
    assert reminds_at(one) == (one.period.end - timedelta(days=7) if is_told else None)


def test_the_seller_decides_for_a_subscription():
    monthly = subscription(unit=IntervalUnit.MONTH, reminder=Reminder(2))
    assert reminds_at(monthly) == datetime(2026, 2, 13, 12, tzinfo=UTC)
    assert reminds_at(subscription(reminder=Reminder(0))) is None


@pytest.mark.parametrize("state", SubscriptionState)
def test_who_knows_is_not_told(state: SubscriptionState):
    running = subscription(state=state)
    end = running.period.end
    assert (reminds_at(running) is not None) is (
        state in {TRIALING, ACTIVE, SubscriptionState.PAST_DUE}
    )
    assert reminds_at(replace(running, reminder=Reminder(sent_for=end))) is None
    assert reminds_at(replace(running, cancellation=Cancellation(at=end))) is None


@given(
    hours=st.integers(1, 3000),
    days=st.none() | st.integers(0, 90),
    state=st.sampled_from([TRIALING, ACTIVE]),
)
def test_it_comes_within_the_period(hours: int, days: int | None, state: SubscriptionState):
    period = Period(0, BEGAN, BEGAN + timedelta(hours=hours))
    one = subscription(state=state, period=period, reminder=Reminder(days))
    at = reminds_at(one)
    assert at is None or period.start <= at < period.end


@pytest.mark.parametrize("behavior", TrialEndBehavior)
@pytest.mark.parametrize("has_method", [True, False])
def test_what_happens_at_the_end_of_a_trial(behavior: TrialEndBehavior, has_method: bool):
    one = trial(timedelta(days=14), trial=Trial(end_behavior=behavior))
    without = {TrialEndBehavior.PAUSE: Boundary.PAUSE, TrialEndBehavior.CANCEL: Boundary.END}
    expected = Boundary.CONTINUE if has_method else without.get(behavior, Boundary.CONTINUE)
    assert at_boundary(one, has_payment_method=has_method) is expected
    given_up = replace(one, renews=False)
    assert at_boundary(given_up, has_payment_method=has_method) is Boundary.END
