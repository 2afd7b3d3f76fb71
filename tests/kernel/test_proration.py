"""Do the shares of adjoining parts sum to exactly the whole?"""
# ruff: noqa: DTZ001 - local times have no offset

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billwright.kernel.calendar import (
    Interval,
    IntervalUnit,
    Period,
    anniversary_schedule,
    calendar_schedule,
)
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money, round_to_minor
from billwright.kernel.proration import Granularity, prorate, share_of

MONTH = Interval(IntervalUnit.MONTH)
APRIL = Period(0, datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 4, day, hour, tzinfo=UTC)


def test_ten_of_thirty_days_are_a_third():
    for granularity in Granularity:
        share = share_of(
            part_start=at(21), part_end=APRIL.end, whole=APRIL, granularity=granularity
        )
        assert share == Fraction(1, 3)
    assert prorate(Decimal("29.99"), Fraction(1, 3)) == Fraction(2999, 300)
    rounded = round_to_minor(prorate(Decimal("29.99"), share), currency=currency_of("EUR"))
    assert rounded == Money(1000, currency_of("EUR"))


def test_by_day_the_hour_of_the_change_does_not_matter():
    shares = {
        share_of(
            part_start=at(21, hour), part_end=APRIL.end, whole=APRIL, granularity=Granularity.DAY
        )
        for hour in range(24)
    }
    assert shares == {Fraction(1, 3)}


def test_by_day_the_date_is_the_one_of_the_zone():
    share = share_of(
        part_start=datetime(2026, 4, 20, 22, 30, tzinfo=UTC),
        part_end=datetime(2026, 4, 30, 22, tzinfo=UTC),
        whole=Period(
            0, datetime(2026, 3, 31, 22, tzinfo=UTC), datetime(2026, 4, 30, 22, tzinfo=UTC)
        ),
        granularity=Granularity.DAY,
        zone="Europe/Berlin",
    )
    assert share == Fraction(10, 30)


def test_by_second_a_day_of_23_hours_weighs_less():
    march = calendar_schedule(
        datetime(2026, 2, 28, 23, tzinfo=UTC), zone="Europe/Berlin", interval=MONTH
    ).whole(0)
    share = share_of(
        part_start=datetime(2026, 3, 28, 23, tzinfo=UTC),
        part_end=datetime(2026, 3, 29, 22, tzinfo=UTC),
        whole=march,
    )
    assert share == Fraction(23, 31 * 24 - 1)


def test_a_stub_is_a_share_of_the_whole_month():
    schedule = calendar_schedule(at(21), zone="UTC", interval=MONTH)
    stub = schedule.period(0)
    share = share_of(part_start=stub.start, part_end=stub.end, whole=schedule.whole(0))
    assert share == Fraction(1, 3)


def test_a_period_within_one_date_is_measured_in_seconds():
    hour = Period(0, at(1, 5), at(1, 6))
    share = share_of(
        part_start=at(1, 5) + timedelta(minutes=45),
        part_end=hour.end,
        whole=hour,
        granularity=Granularity.DAY,
    )
    assert share == Fraction(1, 4)


@pytest.mark.parametrize(
    ("part_start", "part_end"),
    [
        (APRIL.start - timedelta(seconds=1), APRIL.end),
        (APRIL.start, APRIL.end + timedelta(seconds=1)),
        (at(3), at(2)),
    ],
)
def test_a_part_outside_the_period_is_a_bug(part_start, part_end):
    with pytest.raises(ValueError, match="does not lie within"):
        share_of(part_start=part_start, part_end=part_end, whole=APRIL)


@settings(deadline=None, max_examples=300)
@given(
    starts_at=st.datetimes(datetime(1985, 1, 1), datetime(2040, 1, 1)),
    zone=st.sampled_from(
        ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]
    ),
    interval=st.builds(Interval, st.sampled_from(IntervalUnit), st.integers(1, 10)),
    index=st.integers(0, 50),
    cuts=st.lists(st.fractions(0, 1, max_denominator=10**6), max_size=6),
    granularity=st.sampled_from(Granularity),
)
def test_the_shares_of_adjoining_parts_sum_to_one(
    starts_at, zone, interval, index, cuts, granularity
):
    schedule = anniversary_schedule(starts_at.replace(tzinfo=UTC), zone=zone, interval=interval)
    whole = schedule.containing(schedule.period(index).start)
    length = (whole.end - whole.start) // timedelta(microseconds=1)
    edges = sorted(
        [
            whole.start,
            *(whole.start + timedelta(microseconds=int(cut * length)) for cut in cuts),
            whole.end,
        ]
    )
    shares = [
        share_of(part_start=start, part_end=end, whole=whole, granularity=granularity, zone=zone)
        for start, end in pairwise(edges)
    ]
    assert all(0 <= share <= 1 for share in shares)
    assert sum(shares) == 1
    price = Decimal("19.99")
    assert sum(prorate(price, share) for share in shares) == Fraction(1999, 100)
