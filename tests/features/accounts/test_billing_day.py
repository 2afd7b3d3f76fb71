"""Does every month have one billing day, in every zone?"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.accounts.rules.billing_day import next_billing_instant
from billwright.kernel.calendar import local_date, resolve
from billwright.kernel.refusal import Refusal

MICROSECOND = timedelta(microseconds=1)
# Apia skipped 30 December 2011, Kiritimati 31 December 1994; Havana and São Paulo skipped midnights.
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "America/Havana",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Pacific/Kiritimati",
]
zones = st.sampled_from(ZONES)
days = st.integers(1, 31)
instants = st.datetimes(datetime(1980, 1, 1), datetime(2060, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC)
)
near_skipped_days = st.builds(
    lambda skipped, hours: skipped + timedelta(hours=hours),
    st.sampled_from([datetime(2011, 12, 30, tzinfo=UTC), datetime(1994, 12, 31, tzinfo=UTC)]),
    st.integers(-72, 72),
)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def begun(after: datetime, *, day: int, zone: str, count: int) -> list[datetime]:
    """The next billing days, each found from the one before."""
    found = []
    for _ in range(count):
        after = next_billing_instant(after, billing_day=day, zone=zone)
        found.append(after)
    return found


def test_day_31_comes_back_after_a_short_month():
    # Berlin is an hour before UTC in winter and two in summer, which begins on 29 March 2026.
    assert begun(utc(2026, 1, 15, 12), day=31, zone="Europe/Berlin", count=4) == [
        utc(2026, 1, 30, 23),
        utc(2026, 2, 27, 23),
        utc(2026, 3, 30, 22),
        utc(2026, 4, 29, 22),
    ]


def test_the_beginning_of_the_day_itself_is_not_after_it():
    first = utc(2026, 4, 30, 22)
    assert next_billing_instant(first - MICROSECOND, billing_day=1, zone="Europe/Berlin") == first
    # The whole of a billing day belongs to the invoice that its beginning has made.
    for after in (first, first + timedelta(hours=5)):
        assert next_billing_instant(after, billing_day=1, zone="Europe/Berlin") == utc(
            2026, 5, 31, 22
        )


def test_a_skipped_midnight_or_day_begins_after_the_gap():
    # In São Paulo clocks went from 0:00 to 1:00 on 4 November 2018, which is 3:00 UTC.
    assert next_billing_instant(utc(2018, 10, 20), billing_day=4, zone="America/Sao_Paulo") == utc(
        2018, 11, 4, 3
    )
    # In Apia 29 December 2011 was followed by 31 December, at 10:00 UTC.
    assert next_billing_instant(utc(2011, 12, 15), billing_day=30, zone="Pacific/Apia") == utc(
        2011, 12, 30, 10
    )


def billed_date(instant: datetime, *, day: int, zone: str) -> date:
    """The billing day that begins at an instant: its date, or the skipped one before."""
    shown = local_date(instant, zone)
    for billed in (shown, shown - timedelta(days=1)):
        if billed.day == min(day, monthrange(billed.year, billed.month)[1]):
            return billed
    raise AssertionError(f"{instant} is no beginning of day {day}")


@given(instants | near_skipped_days, days, zones)
def test_each_month_has_one_billing_day(after, day, zone):
    found = begun(after, day=day, zone=zone, count=26)
    assert all(one < other for one, other in pairwise([after, *found]))
    dates = [billed_date(one, day=day, zone=zone) for one in found]
    months = [12 * one.year + one.month for one in dates]
    assert months == list(range(months[0], months[0] + 26))


@given(instants | near_skipped_days, days, zones)
def test_no_billing_day_before_it_was_passed_over(after, day, zone):
    """All beginnings of the day from the month before to the month after, found one by one."""
    found = next_billing_instant(after, billing_day=day, zone=zone)
    around = local_date(after, zone).replace(day=15)
    candidates = []
    for month in (around - timedelta(days=30), around, around + timedelta(days=30)):
        last = monthrange(month.year, month.month)[1]
        begins = datetime.combine(month.replace(day=min(day, last)), time())
        candidates.append(resolve(begins, zone))
    assert found == min(instant for instant in candidates if instant > after)


@pytest.mark.parametrize("day", [0, 32])
def test_a_day_that_no_month_has_is_refused(day):
    with pytest.raises(Refusal) as refused:
        next_billing_instant(utc(2026, 1, 1), billing_day=day, zone="UTC")
    assert refused.value.code == "day_of_month_out_of_range"
