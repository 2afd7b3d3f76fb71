"""Which differences between a provider's books and ours are mended, and which does a person get?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.payment_providers.model import AttemptState
from billwright.features.payments.rules.reconciliation import (
    Booked,
    Difference,
    Standing,
    Window,
    days_of,
    difference_of,
    may_be_second,
    mends,
    window_after,
)
from tests.providers.conformance.rigs import money

NOW = datetime(2026, 1, 15, 3, 17, tzinfo=UTC)
PAID = Standing(AttemptState.SUCCEEDED, money(4629))
STATES = st.sampled_from(AttemptState)
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_the_first_run_looks_back_a_month_and_each_later_one_overlaps_by_three_days():
    until = NOW - timedelta(hours=1)
    assert window_after(None, now=NOW) == Window(until - timedelta(days=30), until)
    yesterday = NOW - timedelta(days=1, hours=1)
    assert window_after(yesterday, now=NOW) == Window(yesterday - timedelta(days=3), until)


@given(since=INSTANTS, length=st.timedeltas(timedelta(microseconds=1), timedelta(days=40)))
def test_the_days_of_a_window_are_the_window_without_gaps_and_overlaps(since, length):
    days = list(days_of(Window(since, since + length)))
    assert (days[0].since, days[-1].until) == (since, since + length)
    assert all(one.until == later.since for one, later in pairwise(days))
    assert all(timedelta(0) < day.until - day.since <= timedelta(days=1) for day in days)


@pytest.mark.parametrize(
    ("there", "here", "difference"),
    [
        (PAID, PAID, None),
        (Standing(AttemptState.SUCCEEDED, money(4628)), PAID, Difference.AMOUNT),
        (Standing(AttemptState.SUCCEEDED, None), PAID, None),
        (Standing(AttemptState.DECLINED, None), PAID, Difference.UNPAID_THERE),
        (Standing(AttemptState.PROCESSING, money(4629)), PAID, Difference.UNPAID_THERE),
        (None, PAID, Difference.MISSING_THERE),
        (PAID, None, Difference.UNKNOWN_HERE),
        (Standing(AttemptState.PROCESSING, money(4629)), None, Difference.UNKNOWN_HERE),
        (Standing(AttemptState.DECLINED, None), None, None),
        (None, Standing(AttemptState.DECLINED, money(0)), None),
    ],
)
def test_what_a_person_is_asked(there, here, difference):
    assert difference_of(there, here=here) is difference


@given(there=STATES, here=STATES)
def test_only_an_end_that_we_do_not_know_is_recorded(there, here):
    ended = {AttemptState.SUCCEEDED, AttemptState.DECLINED, AttemptState.NOT_ATTEMPTED}
    if mends(there, here=here):
        assert there in {AttemptState.SUCCEEDED, AttemptState.DECLINED}
        assert here is not there
        # Money that came is booked whatever we thought; a decline never undoes an end of ours.
        assert there is AttemptState.SUCCEEDED or here not in ended
        # What is mended is nothing for a person.
        assert difference_of(Standing(there, None), here=Standing(here, None)) is None
    elif there is AttemptState.SUCCEEDED:
        assert here is AttemptState.SUCCEEDED


@pytest.mark.parametrize(
    ("reference", "there", "here", "second"),
    [
        ("pi_1", AttemptState.SUCCEEDED, AttemptState.SUCCEEDED, False),
        ("pi_2", AttemptState.SUCCEEDED, AttemptState.SUCCEEDED, True),
        ("pi_2", AttemptState.DECLINED, AttemptState.SUCCEEDED, False),
        ("pi_2", AttemptState.SUCCEEDED, AttemptState.PROCESSING, False),
    ],
)
def test_money_under_another_name_may_be_a_second_payment(reference, there, here, second):
    ours = Booked(
        attempt_id=uuid4(),
        payment_id=uuid4(),
        account_id=uuid4(),
        provider_key="attempt:1",
        provider_reference="pi_1",
        state=here,
        captured=money(4629),
        created_at=NOW,
    )
    assert may_be_second(reference, there=there, here=ours) is second
