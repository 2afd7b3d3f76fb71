"""When does billing period k begin and end?

A schedule is an anchor (a local date and time), an IANA zone and an interval. The start of period k
is always computed from the anchor, never from the previous period, so that the 31st comes back
after February. Periods are half open `[start, end)` in UTC, and each ends where the next begins.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cache

from whenever import (
    Instant,
    PlainDateTime,
    RepeatedTime,
    SkippedTime,
    TimeZoneNotFoundError,
    ZonedDateTime,
    available_timezones,
)

from billwright.kernel.quick import quickly_made
from billwright.kernel.refusal import Category, RefusalCode

zone_unknown = RefusalCode(
    "zone_unknown", Category.INVALID, "{zone!r} is not a time zone of the IANA database."
)
interval_out_of_range = RefusalCode(
    "interval_out_of_range",
    Category.INVALID,
    "An interval of {count} {unit} is not between 1 and {largest_count}.",
)
day_of_month_out_of_range = RefusalCode(
    "day_of_month_out_of_range", Category.INVALID, "{day_of_month} is not a day from 1 to 31."
)


class IntervalUnit(StrEnum):
    """The unit a period is counted in.

    An hour is 3,600 elapsed seconds: hours of the local clock would be empty where clocks go
    forward. Every other unit is a step on the local calendar: a day may have 23 or 25 hours.
    """

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


# About ten years each, which is longer than any contract period and far from the calendar's end.
_LARGEST_COUNT = {
    IntervalUnit.HOUR: 87_600,
    IntervalUnit.DAY: 3_650,
    IntervalUnit.WEEK: 520,
    IntervalUnit.MONTH: 120,
    IntervalUnit.YEAR: 10,
}


@dataclass(frozen=True, slots=True)
class Interval:
    """The length of a period; refuses a count below 1 or above about ten years."""

    unit: IntervalUnit
    count: int = 1

    def __post_init__(self) -> None:
        largest_count = _LARGEST_COUNT[self.unit]
        if not 1 <= self.count <= largest_count:
            raise interval_out_of_range(
                unit=self.unit.value, count=self.count, largest_count=largest_count
            )


@quickly_made
@dataclass(frozen=True, slots=True)
class Period:
    """The instants from `start` up to, but not including, `end`; both in UTC."""

    index: int
    start: datetime
    end: datetime

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


@quickly_made
@dataclass(frozen=True, slots=True)
class Schedule:
    """The periods of one subscription, numbered from `first_index`.

    `begins_at` is where the first period begins when that is not simply the anchor: the first
    period is then a stub of a whole one, or, for `first_index` above 0, it continues a schedule of
    another zone and is whole. `day_of_month` is the day meant by an anchor in a month too short to
    show it. All fields are needed to restore a stored schedule.
    """

    anchor_local: datetime
    zone: str
    interval: Interval
    begins_at: datetime | None = None
    first_index: int = 0
    day_of_month: int | None = None

    def start_of(self, index: int) -> datetime:
        """Where the whole period of this number begins, whether or not it is a stub.

        Two numbers share a start only where a zone skipped a whole calendar day.
        """
        if self.interval.unit is IntervalUnit.HOUR:
            return self._start_of_hours(index)
        begins_at = self.begins_at if index == self.first_index else None
        if begins_at and (index > 0 or _local(begins_at, self.zone) == self.anchor_local):
            return begins_at
        return _resolved(self._local_start_of(index), self.zone)

    def _local_start_of(self, index: int) -> PlainDateTime:
        steps = index * self.interval.count
        anchor = PlainDateTime(self.anchor_local)
        match self.interval.unit:
            case IntervalUnit.MONTH:
                moved = anchor.add(months=steps)
            case IntervalUnit.YEAR:
                moved = anchor.add(years=steps)
            case IntervalUnit.WEEK:
                return anchor.add(weeks=steps)
            case _:
                return anchor.add(days=steps)
        if self.day_of_month is not None:
            return _on_day(moved, self.day_of_month)
        return moved

    def _start_of_hours(self, index: int) -> datetime:
        if self.first_index > 0 and self.begins_at is not None:
            return self.begins_at + (index - self.first_index) * self._hours
        origin = resolve(self.anchor_local, self.zone)
        if self.begins_at is not None:
            # The anchor's hour may occur twice; the one meant is the last before the beginning.
            later = _later_reading(self.anchor_local, self.zone)
            origin = later if later <= self.begins_at else origin
        return origin + index * self._hours

    @property
    def _hours(self) -> timedelta:
        return timedelta(hours=self.interval.count)

    def whole(self, index: int) -> Period:
        """The period without regard to a late beginning: the denominator of every proration."""
        self._require(index)
        return Period(index, self.start_of(index), self.start_of(index + 1))

    def is_whole(self, period: Period) -> bool:
        """Whether a period is a whole one and not a stub at the beginning."""
        return (
            self.begins_at is None
            or period.index != self.first_index
            or period.start == self.start_of(period.index)
        )

    def period(self, index: int) -> Period:
        """The period that is billed: the first one begins where the schedule begins.

        It is empty only where a zone skipped a whole calendar day (Pacific/Apia on 2011-12-30) and
        days are counted from midnight; `containing` and `following` pass over such a period.
        """
        if index == self.first_index and self.begins_at is not None:
            return Period(index, self.begins_at, self.start_of(index + 1))
        return self.whole(index)

    def containing(self, instant: datetime) -> Period:
        """The one period in which the instant lies; one before the first raises `ValueError`."""
        index = max(self._estimate(instant), self.first_index)
        start, end = self.start_of(index), self.start_of(index + 1)
        while start > instant and index > self.first_index:
            index -= 1
            start, end = self.start_of(index), start
        while end <= instant:
            index += 1
            start, end = end, self.start_of(index + 1)
        if index == self.first_index and self.begins_at is not None:
            start = self.begins_at
        if instant < start:
            raise ValueError(f"{instant} lies before the schedule begins at {start}")
        return Period(index, start, end)

    def _estimate(self, instant: datetime) -> int:
        """The number of the period of an instant, give or take one or two."""
        count = self.interval.count
        match self.interval.unit:
            case IntervalUnit.HOUR:
                return (instant - self.start_of(0)) // self._hours
            case IntervalUnit.DAY | IntervalUnit.WEEK:
                days = (_local(instant, self.zone) - self.anchor_local).days
                return days // (count * (7 if self.interval.unit is IntervalUnit.WEEK else 1))
            case IntervalUnit.MONTH | IntervalUnit.YEAR:
                local = _local(instant, self.zone)
                years = local.year - self.anchor_local.year
                if self.interval.unit is IntervalUnit.YEAR:
                    return years // count
                return (12 * years + local.month - self.anchor_local.month) // count

    def following(self, period: Period) -> Period:
        """The next period that is not empty."""
        following = self.period(max(period.index + 1, self.first_index))
        while following.start == following.end:
            following = self.period(following.index + 1)
        return following

    def _require(self, index: int) -> None:
        if index < self.first_index:
            raise ValueError(f"the schedule begins with period {self.first_index}, not {index}")


def anniversary_schedule(starts_at: datetime, *, zone: str, interval: Interval) -> Schedule:
    """Periods counted from the very instant at which a subscription starts."""
    anchor_local = _local(starts_at, zone)
    # In the repeated hour of a clock going back, the local time alone names the earlier instant.
    begins_at = None if resolve(anchor_local, zone) == starts_at else starts_at
    return Schedule(anchor_local, zone, interval, begins_at)


def calendar_schedule(
    starts_at: datetime, *, zone: str, interval: Interval, day_of_month: int | None = None
) -> Schedule:
    """Periods along the calendar; the first is a stub unless the start lies on a boundary.

    Hours begin on the full hour, days at local midnight, weeks on Monday, months on the first or
    on `day_of_month` (a short month's last day where it has no such day), years in January. Months
    whose count divides 12 are those of the calendar: three are quarters that begin in January,
    April, July and October. Any other count begins with the one unit in which the start lies.
    """
    if day_of_month is not None and not 1 <= day_of_month <= 31:
        raise day_of_month_out_of_range(day_of_month=day_of_month)
    midnight = datetime.combine(local_date(starts_at, zone), time())
    meant_day = None
    match interval.unit:
        case IntervalUnit.HOUR:
            anchor = _local(starts_at - _past_the_hour(starts_at, zone), zone)
        case IntervalUnit.DAY:
            anchor = midnight
        case IntervalUnit.WEEK:
            anchor = midnight - timedelta(days=midnight.weekday())
        case IntervalUnit.MONTH | IntervalUnit.YEAR:
            meant_day = day_of_month or 1
            anchor = _monthly_anchor(midnight, interval=interval, meant_day=meant_day)
    schedule = Schedule(anchor, zone, interval, starts_at, 0, meant_day)
    return replace(schedule, begins_at=None) if _is_plain(schedule) else schedule


def _is_plain(schedule: Schedule) -> bool:
    """Whether the anchor alone already says where the schedule begins."""
    return replace(schedule, begins_at=None).start_of(0) == schedule.begins_at


def _monthly_anchor(midnight: datetime, *, interval: Interval, meant_day: int) -> datetime:
    step = 12 if interval.unit is IntervalUnit.YEAR else interval.count
    step = step if 12 % step == 0 else 1
    first = PlainDateTime(midnight.replace(day=1, month=(midnight.month - 1) // step * step + 1))
    anchor = _on_day(first, meant_day).to_stdlib()
    if anchor > midnight:
        return _on_day(first.subtract(months=step), meant_day).to_stdlib()
    return anchor


def _on_day(month: PlainDateTime, meant_day: int) -> PlainDateTime:
    return month.replace(day=min(meant_day, month.date().days_in_month()))


def _past_the_hour(instant: datetime, zone: str) -> timedelta:
    local = _local(instant, zone)
    return timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)


def rezone(schedule: Schedule, *, zone: str, after: Period) -> Schedule:
    """The schedule that continues in another zone from the end of `after`, one of its periods.

    Until then the old schedule holds, and numbers go on counting. The first new period begins
    exactly where `after` ends, ends at the new zone's boundary and is whole: it is longer or
    shorter than usual by the difference of the two zones, and its price does not follow that. Where
    a day would have passed altogether, its number is left out. Hours are elapsed time and stay.
    """
    index = after.index + 1
    while True:
        continued = replace(schedule, zone=zone, begins_at=after.end, first_index=index)
        if continued.start_of(index + 1) > after.end:
            return continued
        index += 1


def resolve(local: datetime, zone: str) -> datetime:
    """The UTC instant at which clocks of the zone show a local (naive) date and time.

    A time that occurs twice is the earlier one; a time that clocks skip is the first instant after
    the gap. Refuses an unknown zone.
    """
    return _resolved(PlainDateTime(local), zone)


def _resolved(local: PlainDateTime, zone: str) -> datetime:
    try:
        zoned = local.assume_tz(zone, disambiguation="raise")
    except RepeatedTime:
        zoned = local.assume_tz(zone, disambiguation="earlier")
    except SkippedTime:
        zoned = _after_gap(local, zone)
    except TimeZoneNotFoundError:
        raise zone_unknown(zone=zone) from None
    return zoned.to_instant().to_stdlib()


def _after_gap(local: PlainDateTime, zone: str) -> ZonedDateTime:
    before = local.assume_tz(zone, disambiguation="earlier")
    transition = before.next_transition()
    # A gap is a transition, and the earlier reading lies before it.
    assert transition is not None  # noqa: S101
    return transition


def _later_reading(local: datetime, zone: str) -> datetime:
    zoned = PlainDateTime(local).assume_tz(zone, disambiguation="later")
    return zoned.to_instant().to_stdlib()


def _local(instant: datetime, zone: str) -> datetime:
    """What clocks of the zone show."""
    try:
        return Instant(instant).to_tz(zone).to_plain().to_stdlib()
    except TimeZoneNotFoundError:
        raise zone_unknown(zone=zone) from None


def local_date(instant: datetime, zone: str) -> date:
    """The calendar date of an instant in a zone; refuses an unknown zone.

    Dates never go back: where clocks go back across midnight, the new date has begun for good.
    """
    shown = _local(instant, zone).date()
    following = shown + timedelta(days=1)
    return following if resolve(datetime.combine(following, time()), zone) <= instant else shown


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def require_zone(zone: str) -> str:
    """The name given, if it is spelled as in the IANA database; refuses any other.

    The other functions are lenient about capitals and about names that only this machine knows, so
    input is checked here.
    """
    if zone not in _zones():
        raise zone_unknown(zone=zone)
    return zone
