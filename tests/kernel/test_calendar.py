"""Do periods fall where a reader with a calendar on the wall expects them?"""
# ruff: noqa: DTZ001 - local times have no offset

from datetime import UTC, date, datetime, timedelta

import pytest

from billwright.kernel.calendar import (
    Interval,
    IntervalUnit,
    Period,
    Schedule,
    anniversary_schedule,
    calendar_schedule,
    local_date,
    require_zone,
    resolve,
    rezone,
)
from billwright.kernel.refusal import Category, Refusal

HOUR, DAY, WEEK, MONTH, YEAR = (Interval(unit) for unit in IntervalUnit)
QUARTER = Interval(IntervalUnit.MONTH, 3)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def starts(schedule: Schedule, count: int) -> list[str]:
    return [schedule.start_of(index).strftime("%Y-%m-%d %H:%M") for index in range(count)]


@pytest.mark.parametrize(
    ("local", "zone", "instant"),
    [
        ("2026-07-01 00:00", "Europe/Berlin", "2026-06-30 22:00"),
        # Clocks jump from 02:00 to 03:00: any time between is the first instant after.
        ("2026-03-29 02:00", "Europe/Berlin", "2026-03-29 01:00"),
        ("2026-03-29 02:30", "Europe/Berlin", "2026-03-29 01:00"),
        ("2026-03-29 02:59", "Europe/Berlin", "2026-03-29 01:00"),
        ("2026-03-08 02:30", "America/New_York", "2026-03-08 07:00"),
        # Clocks go back from 03:00 to 02:00: the earlier of the two.
        ("2026-10-25 02:30", "Europe/Berlin", "2026-10-25 00:30"),
        ("2026-11-01 01:30", "America/New_York", "2026-11-01 05:30"),
        # Half an hour.
        ("2026-10-04 02:15", "Australia/Lord_Howe", "2026-10-03 15:30"),
        ("2026-04-05 01:45", "Australia/Lord_Howe", "2026-04-04 14:45"),
        # The day that Samoa left out.
        ("2011-12-30 12:00", "Pacific/Apia", "2011-12-30 10:00"),
        # Midnight itself is skipped.
        ("2018-11-04 00:00", "America/Sao_Paulo", "2018-11-04 03:00"),
    ],
)
def test_local_times_are_resolved(local, zone, instant):
    assert resolve(datetime.fromisoformat(local), zone) == utc(instant)


def test_day_31_returns_after_february():
    schedule = anniversary_schedule(utc("2026-01-31 12:00"), zone="UTC", interval=MONTH)
    assert starts(schedule, 5) == [
        "2026-01-31 12:00",
        "2026-02-28 12:00",
        "2026-03-31 12:00",
        "2026-04-30 12:00",
        "2026-05-31 12:00",
    ]


def test_a_quarter_from_day_31_has_no_odd_fourth_month():
    schedule = anniversary_schedule(utc("2025-08-31 00:00"), zone="UTC", interval=QUARTER)
    assert [text[:10] for text in starts(schedule, 5)] == [
        "2025-08-31",
        "2025-11-30",
        "2026-02-28",
        "2026-05-31",
        "2026-08-31",
    ]


def test_29_february_returns_in_leap_years():
    schedule = anniversary_schedule(utc("2024-02-29 08:00"), zone="UTC", interval=YEAR)
    assert [text[:10] for text in starts(schedule, 5)] == [
        "2024-02-29",
        "2025-02-28",
        "2026-02-28",
        "2027-02-28",
        "2028-02-29",
    ]


def test_the_local_hour_stays_when_clocks_change():
    schedule = anniversary_schedule(utc("2026-02-15 08:00"), zone="Europe/Berlin", interval=MONTH)
    assert starts(schedule, 3) == ["2026-02-15 08:00", "2026-03-15 08:00", "2026-04-15 07:00"]


def test_a_local_day_has_23_or_25_hours():
    spring = anniversary_schedule(utc("2026-03-28 23:00"), zone="Europe/Berlin", interval=DAY)
    autumn = anniversary_schedule(utc("2026-10-24 22:00"), zone="Europe/Berlin", interval=DAY)
    assert spring.period(0).end - spring.period(0).start == timedelta(hours=23)
    assert autumn.period(0).end - autumn.period(0).start == timedelta(hours=25)


def test_hours_are_elapsed_time_when_clocks_change():
    schedule = anniversary_schedule(utc("2026-10-24 23:30"), zone="Europe/Berlin", interval=HOUR)
    assert starts(schedule, 4) == [
        f"2026-10-{text}" for text in ("24 23:30", "25 00:30", "25 01:30", "25 02:30")
    ]


@pytest.mark.parametrize("interval", [HOUR, DAY, WEEK, MONTH, YEAR])
def test_a_start_in_the_second_of_two_equal_hours_is_kept(interval):
    starts_at = utc("2026-10-25 01:30")
    schedule = anniversary_schedule(starts_at, zone="Europe/Berlin", interval=interval)
    assert schedule.anchor_local == datetime(2026, 10, 25, 2, 30)
    assert schedule.period(0) == schedule.whole(0)
    assert schedule.period(0).start == starts_at
    assert schedule.period(1).start == schedule.period(0).end > starts_at


def test_the_first_calendar_month_is_a_stub_of_a_whole_one():
    schedule = calendar_schedule(utc("2026-04-11 10:00"), zone="UTC", interval=MONTH)
    assert schedule.period(0) == Period(0, utc("2026-04-11 10:00"), utc("2026-05-01 00:00"))
    assert schedule.whole(0) == Period(0, utc("2026-04-01 00:00"), utc("2026-05-01 00:00"))
    assert schedule.period(1) == Period(1, utc("2026-05-01 00:00"), utc("2026-06-01 00:00"))


def test_a_start_on_a_boundary_has_no_stub():
    schedule = calendar_schedule(utc("2026-05-31 22:00"), zone="Europe/Berlin", interval=MONTH)
    assert schedule.begins_at is None
    assert schedule.period(0) == Period(0, utc("2026-05-31 22:00"), utc("2026-06-30 22:00"))


@pytest.mark.parametrize(
    ("interval", "day_of_month", "begins", "ends"),
    [
        (HOUR, None, "2026-03-15 13:00", "2026-03-15 14:00"),
        (DAY, None, "2026-03-15 00:00", "2026-03-16 00:00"),
        (WEEK, None, "2026-03-09 00:00", "2026-03-16 00:00"),
        (MONTH, None, "2026-03-01 00:00", "2026-04-01 00:00"),
        (MONTH, 10, "2026-03-10 00:00", "2026-04-10 00:00"),
        (MONTH, 20, "2026-02-20 00:00", "2026-03-20 00:00"),
        (MONTH, 31, "2026-02-28 00:00", "2026-03-31 00:00"),
        (QUARTER, None, "2026-01-01 00:00", "2026-04-01 00:00"),
        (QUARTER, 31, "2026-01-31 00:00", "2026-04-30 00:00"),
        (Interval(IntervalUnit.MONTH, 5), None, "2026-03-01 00:00", "2026-08-01 00:00"),
        (YEAR, None, "2026-01-01 00:00", "2027-01-01 00:00"),
        (YEAR, 31, "2026-01-31 00:00", "2027-01-31 00:00"),
        (Interval(IntervalUnit.YEAR, 2), None, "2026-01-01 00:00", "2028-01-01 00:00"),
        (Interval(IntervalUnit.WEEK, 2), None, "2026-03-09 00:00", "2026-03-23 00:00"),
    ],
)
def test_calendar_boundaries(interval, day_of_month, begins, ends):
    schedule = calendar_schedule(
        utc("2026-03-15 13:45"), zone="UTC", interval=interval, day_of_month=day_of_month
    )
    assert schedule.whole(0) == Period(0, utc(begins), utc(ends))
    assert schedule.period(0) == Period(0, utc("2026-03-15 13:45"), utc(ends))


def test_a_billing_day_31_recovers_from_a_start_in_february():
    schedule = calendar_schedule(
        utc("2026-03-15 13:45"), zone="UTC", interval=MONTH, day_of_month=31
    )
    assert [text[5:10] for text in starts(schedule, 4)] == ["02-28", "03-31", "04-30", "05-31"]


def test_a_start_after_clocks_went_back_across_midnight_belongs_to_the_new_date():
    # 23:30 on the 28th for the second time: the 29th began at 02:30 UTC and goes on.
    starts_at = utc("2006-10-29 03:00")
    schedule = calendar_schedule(starts_at, zone="America/St_Johns", interval=DAY)
    assert schedule.whole(0) == Period(0, utc("2006-10-29 02:30"), utc("2006-10-30 03:30"))
    assert schedule.period(0) == Period(0, starts_at, utc("2006-10-30 03:30"))


def test_a_calendar_hour_is_the_second_of_two_equal_ones_if_the_start_is():
    schedule = calendar_schedule(utc("2026-10-25 01:40"), zone="Europe/Berlin", interval=HOUR)
    assert schedule.whole(0) == Period(0, utc("2026-10-25 01:00"), utc("2026-10-25 02:00"))


def test_containing_is_half_open():
    schedule = anniversary_schedule(utc("2026-01-31 12:00"), zone="UTC", interval=MONTH)
    assert schedule.containing(utc("2026-02-28 11:59")).index == 0
    assert schedule.containing(utc("2026-02-28 12:00")).index == 1
    assert utc("2026-02-28 12:00") not in schedule.period(0)
    assert utc("2026-02-28 12:00") in schedule.period(1)


def test_nothing_lies_before_the_beginning():
    schedule = calendar_schedule(utc("2026-04-11 10:00"), zone="UTC", interval=MONTH)
    with pytest.raises(ValueError, match="before the schedule begins"):
        schedule.containing(utc("2026-04-11 09:59"))
    with pytest.raises(ValueError, match="begins with period 0"):
        schedule.period(-1)


def test_a_day_that_a_zone_skipped_is_passed_over():
    schedule = calendar_schedule(utc("2011-12-28 10:00"), zone="Pacific/Apia", interval=DAY)
    assert schedule.period(2).start == schedule.period(2).end
    assert schedule.following(schedule.period(1)) == schedule.period(3)
    assert schedule.containing(utc("2011-12-30 10:00")) == schedule.period(3)
    assert schedule.containing(utc("2011-12-30 09:59")) == schedule.period(1)


def test_another_zone_takes_effect_at_the_next_boundary():
    berlin = calendar_schedule(utc("2025-12-31 23:00"), zone="Europe/Berlin", interval=MONTH)
    january = berlin.containing(utc("2026-01-15 00:00"))
    new_york = rezone(berlin, zone="America/New_York", after=january)
    february = new_york.following(january)
    assert february == Period(1, utc("2026-01-31 23:00"), utc("2026-03-01 05:00"))
    assert new_york.whole(1) == february
    assert new_york.containing(january.end) == february
    assert new_york.following(february) == Period(
        2, utc("2026-03-01 05:00"), utc("2026-04-01 04:00")
    )
    with pytest.raises(ValueError, match="begins with period 1"):
        new_york.period(0)


def test_another_zone_leaves_out_a_day_that_has_passed():
    west = calendar_schedule(utc("2026-05-01 11:00"), zone="Pacific/Pago_Pago", interval=DAY)
    east = rezone(west, zone="Pacific/Kiritimati", after=west.period(0))
    assert east.first_index == 2
    assert east.following(west.period(0)) == Period(
        2, utc("2026-05-02 11:00"), utc("2026-05-03 10:00")
    )


def test_hours_stay_in_another_zone():
    schedule = anniversary_schedule(utc("2026-05-01 11:20"), zone="Europe/Berlin", interval=HOUR)
    continued = rezone(schedule, zone="Asia/Kathmandu", after=schedule.period(4))
    assert continued.following(schedule.period(4)) == schedule.period(5)
    assert continued.period(9) == schedule.period(9)


@pytest.mark.parametrize(
    ("instant", "zone", "expected"),
    [
        ("2026-06-30 22:00", "Europe/Berlin", date(2026, 7, 1)),
        ("2026-06-30 21:59", "Europe/Berlin", date(2026, 6, 30)),
        # Clocks went back from 00:01 to 23:01 on the day before; the new date had begun.
        ("2006-10-29 02:30", "America/St_Johns", date(2006, 10, 29)),
        ("2006-10-29 02:29", "America/St_Johns", date(2006, 10, 28)),
        ("2006-10-29 03:00", "America/St_Johns", date(2006, 10, 29)),
        ("2011-12-30 10:00", "Pacific/Apia", date(2011, 12, 31)),
    ],
)
def test_local_date(instant, zone, expected):
    assert local_date(utc(instant), zone) == expected


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "Europe", "Europe/Berlin\0"])
def test_an_unknown_zone_is_refused_everywhere(zone):
    instant = utc("2026-01-01 00:00")
    for attempt in (
        lambda: resolve(datetime(2026, 1, 1), zone),
        lambda: local_date(instant, zone),
        lambda: require_zone(zone),
        lambda: anniversary_schedule(instant, zone=zone, interval=MONTH),
    ):
        with pytest.raises(Refusal) as refused:
            attempt()
        assert (refused.value.code, refused.value.category) == ("zone_unknown", Category.INVALID)


def test_zones_are_spelled_exactly():
    assert require_zone("Europe/Berlin") == "Europe/Berlin"
    for zone in ("europe/berlin", "localtime", "posixrules"):
        with pytest.raises(Refusal):
            require_zone(zone)


@pytest.mark.parametrize(
    ("unit", "count"),
    [("day", 0), ("month", -1), ("month", 121), ("year", 11), ("hour", 87_601)],
)
def test_an_interval_is_bounded(unit, count):
    with pytest.raises(Refusal) as refused:
        Interval(IntervalUnit(unit), count)
    assert refused.value.code == "interval_out_of_range"


@pytest.mark.parametrize("day_of_month", [0, 32, -1])
def test_a_billing_day_is_a_day(day_of_month):
    with pytest.raises(Refusal) as refused:
        calendar_schedule(
            utc("2026-01-01 00:00"), zone="UTC", interval=MONTH, day_of_month=day_of_month
        )
    assert refused.value.code == "day_of_month_out_of_range"
