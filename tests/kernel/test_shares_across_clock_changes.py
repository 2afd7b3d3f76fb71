"""Are shares still parts of one whole where clocks change, at midnight above all?"""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billwright.kernel.calendar import (
    Interval,
    IntervalUnit,
    Period,
    anniversary_schedule,
    calendar_schedule,
    resolve,
    rezone,
)
from billwright.kernel.proration import Granularity, share_of

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
CHANGES = {
    # A midnight is skipped, or shown twice.
    "America/Sao_Paulo": (date(2017, 10, 15), date(2018, 2, 17)),
    "Asia/Beirut": (date(2024, 3, 31), date(2024, 10, 26)),
    "Africa/Cairo": (date(2024, 4, 26), date(2024, 10, 31)),
    "America/Havana": (date(2025, 3, 9), date(2025, 11, 2)),
    "America/Asuncion": (date(2023, 10, 1), date(2024, 3, 23)),
    "America/Santiago": (date(2025, 9, 7), date(2025, 4, 5)),
    "America/St_Johns": (
        date(2010, 3, 14),
        date(2010, 11, 7),
    ),  # a minute past midnight, back over it
    "Pacific/Apia": (date(2011, 9, 24), date(2011, 12, 29)),  # a day is skipped
    # Days of 23, 25, 23.5 and 24.5 hours.
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "Australia/Lord_Howe": (date(2026, 10, 4), date(2026, 4, 5)),
}
BY_DAY = st.sampled_from((Granularity.DAY, Granularity.DAY, Granularity.SECOND))
NEAR = st.one_of(
    st.integers(-30 * 60, 54 * 60).map(lambda minute: timedelta(minutes=minute)),
    st.integers(-9, 9).map(lambda step: timedelta(hours=24, milliseconds=500 * step)),
    st.integers(-9, 9).map(lambda step: timedelta(milliseconds=500 * step)),
    st.sampled_from((-61, -30, -1, 0, 1, 30, 59, 60, 61)).map(lambda minute: minute * MINUTE),
    st.integers(-40, 40).map(lambda day: day * DAY),
)


@st.composite
def wholes(draw):
    """A whole period around the change of a zone's clocks, and instants near to that."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    changed_on = draw(st.sampled_from(CHANGES[zone]))
    midnight = datetime.combine(changed_on, datetime.min.time(), tzinfo=ZoneInfo(zone))
    near = st.builds(lambda gap: midnight.astimezone(UTC) + gap, NEAR)
    units = (IntervalUnit.DAY, IntervalUnit.WEEK, IntervalUnit.MONTH, IntervalUnit.HOUR)
    interval = Interval(draw(st.sampled_from(units)), draw(st.integers(1, 3)))
    begun = draw(st.sampled_from((anniversary_schedule, calendar_schedule)))
    at = draw(near)
    schedule = begun(at - draw(st.integers(0, 9)) * DAY, zone=zone, interval=interval)
    whole = schedule.whole(schedule.containing(at).index)
    cuts = [one for one in draw(st.lists(near, max_size=6)) if whole.start <= one <= whole.end]
    return zone, whole, sorted({whole.start, *cuts, whole.end})


@settings(deadline=None, max_examples=600)
@given(wholes(), BY_DAY)
def test_shares_add_up_grow_with_their_end_and_may_be_split(case, granularity):
    zone, whole, edges = case

    def share(start, end):
        own = {"whole": whole, "granularity": granularity, "zone": zone}
        return share_of(part_start=start, part_end=end, **own)

    assert share(whole.start, whole.end) == 1
    assert sum(share(start, end) for start, end in pairwise(edges)) == 1
    for start in edges:
        grown = [share(start, end) for end in edges if end >= start]
        assert grown == sorted(grown)
        assert all(0 <= one <= 1 for one in grown)
    for start, cut, end in zip(edges, edges[1:], edges[2:], strict=False):
        assert share(start, cut) + share(cut, end) == share(start, end)


@pytest.mark.parametrize("zone", sorted(CHANGES))
@pytest.mark.parametrize("place", [0, 1])
def test_each_date_is_one_day_however_long_it_is(zone, place):
    """Also the one that begins an hour late, lasts 23, 25 or no hours at all, or is shown again."""
    changed_on = CHANGES[zone][place]
    dates = [changed_on.replace(day=1) + day * DAY for day in range(60)]
    first = [resolve(datetime.combine(one, datetime.min.time()), zone) for one in dates]
    whole = Period(0, first[0], first[-1])
    for on, (start, end) in zip(dates, pairwise(first), strict=False):
        share = share_of(
            part_start=start, part_end=end, whole=whole, granularity=Granularity.DAY, zone=zone
        )
        # The day before a date that was skipped counts for both.
        skips = {date(2011, 12, 29): 2, date(2011, 12, 30): 0} if zone == "Pacific/Apia" else {}
        assert share == Fraction(skips.get(on, 1), 59)


def test_a_date_that_is_shown_again_has_not_gone_back():
    """Clocks of St. John's went from a minute past midnight to a minute past eleven: what begins in that
    minute and ends in the hour that is then shown again is no day, and not less than none.
    """
    midnight = datetime(2010, 11, 7, 2, 30, tzinfo=UTC)
    whole = Period(0, midnight - 6 * DAY, midnight + 25 * DAY + 60 * MINUTE)
    for start, end in ((SECOND, 30 * MINUTE), (30 * MINUTE, 61 * MINUTE), (-SECOND, MINUTE)):
        share = share_of(
            part_start=midnight + start,
            part_end=midnight + end,
            whole=whole,
            granularity=Granularity.DAY,
            zone="America/St_Johns",
        )
        assert share == (Fraction(1, 31) if start < timedelta() else 0)


def test_a_period_of_less_than_a_second_has_parts_too():
    """Moved from Adak, whose clocks skip the hour in which a day of it would begin, to Kiritimati."""
    days = Interval(IntervalUnit.DAY)
    begun_at = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
    schedule = anniversary_schedule(begun_at, zone="America/Adak", interval=days)
    (skipped,) = (one for one in map(schedule.whole, range(9)) if not one.end.microsecond)
    moved = rezone(schedule, zone="Pacific/Kiritimati", after=skipped)
    whole = moved.following(skipped)
    assert whole.end - whole.start == SECOND / 4
    for granularity in Granularity:
        half = share_of(
            part_start=whole.start,
            part_end=whole.start + SECOND / 8,
            whole=whole,
            granularity=granularity,
            zone=moved.zone,
        )
        assert half == Fraction(1, 2)
