"""Is a charge's time as long as its price says?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billwright.features.invoicing.model import Basis, NewCharge
from billwright.features.invoicing.rules.service_time import service_time
from billwright.kernel.calendar import Interval, IntervalUnit, Period, anniversary_schedule
from billwright.kernel.proration import Granularity, share_of
from tests.features.invoicing.charging import FEBRUARY, JANUARY, MID_JANUARY, a_charge

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Auckland")
SECOND = timedelta(seconds=1)


def part_of(
    whole: Period, *, start: datetime, end: datetime, granularity: Granularity, zone: str = "UTC"
) -> NewCharge:
    basis = Basis(whole_start=whole.start, whole_end=whole.end, granularity=granularity, zone=zone)
    return a_charge(100, period_start=start, period_end=end, basis=basis)


@pytest.mark.parametrize(
    ("granularity", "start"),
    [
        (Granularity.SECOND, MID_JANUARY),
        (Granularity.DAY, datetime(2026, 1, 16, tzinfo=UTC)),  # 15 of 31 days are before it
    ],
)
def test_a_part_begins_where_its_price_does(granularity, start):
    part = part_of(
        Period(0, JANUARY, FEBRUARY), start=MID_JANUARY, end=FEBRUARY, granularity=granularity
    )
    assert service_time(part) == (start, FEBRUARY)


def test_a_whole_period_takes_its_own_time():
    for basis in (None, Basis(granularity=Granularity.DAY, zone="Europe/Berlin")):
        assert service_time(a_charge(100, basis=basis)) == (JANUARY, FEBRUARY)


@settings(deadline=None, max_examples=200)
@given(
    starts_at=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001
    zone=st.sampled_from(ZONES),
    interval=st.builds(Interval, st.sampled_from(IntervalUnit), st.integers(1, 10)),
    cuts=st.lists(st.fractions(0, 1, max_denominator=10**6), max_size=5),
    granularity=st.sampled_from(Granularity),
)
def test_parts_join_and_are_as_long_as_their_shares(starts_at, zone, interval, cuts, granularity):
    """Within the second to which an instant is moved."""
    schedule = anniversary_schedule(starts_at.replace(tzinfo=UTC), zone=zone, interval=interval)
    whole = schedule.period(0)
    seconds = (whole.end - whole.start) // SECOND
    places = sorted({0, *(int(cut * seconds) for cut in cuts), seconds})
    edges = [whole.start + place * SECOND for place in places]
    times = []
    for start, end in pairwise(edges):
        part = part_of(whole, start=start, end=end, granularity=granularity, zone=zone)
        times.append(service_time(part))
        share = share_of(
            part_start=start, part_end=end, whole=whole, granularity=granularity, zone=zone
        )
        begun, ended = times[-1]
        assert abs((ended - begun) / SECOND - share * seconds) <= 1
    assert (times[0][0], times[-1][1]) == (whole.start, whole.end)
    assert all(earlier[1] == later[0] for earlier, later in pairwise(times))
