"""In which window does a pool count?

A window is half open. Its end is none where it never ends, where nobody has used anything yet (a window
that begins with the first use), and where the next billing period is not known yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from billwright.features.catalog.model import Reset, ResetKind
from billwright.features.entitlements.model import PoolDefinition
from billwright.kernel.calendar import Interval, IntervalUnit, Schedule
from billwright.kernel.quick import quickly_made

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a local time
_MONDAY = datetime(1969, 12, 29)  # noqa: DTZ001 - likewise


@quickly_made
@dataclass(frozen=True, slots=True)
class Window:
    """The instants from `start` up to, but not including, `end`."""

    start: datetime
    end: datetime | None

    def is_over(self, now: datetime) -> bool:
        return self.end is not None and self.end <= now


def first_window(definition: PoolDefinition, now: datetime) -> Window:
    """The window in which a new pool counts, which may have begun before there was a pool."""
    reset, period = definition.terms.reset, definition.period
    match reset.kind:
        case ResetKind.BILLING_CYCLE if period is not None and period[0] <= now:
            if now < period[1]:
                return Window(*period)
            return Window(period[1], None)
        case ResetKind.CALENDAR:
            return _calendar_window(definition, now)
        case ResetKind.NEVER if period is not None:
            return Window(min(period[0], now), None)
        case _:
            return Window(now, _end_after(definition, now))


def windows_until(
    definition: PoolDefinition, window: Window, *, now: datetime, first_uses: Sequence[datetime]
) -> Iterator[Window]:
    """A window and those that follow it, up to the one that has not ended by `now`.

    Where windows begin with a use, `first_uses` are the instants at which they do.
    """
    if definition.terms.reset.kind is ResetKind.FIXED_WINDOW:
        yield from _windows_of_use(definition, window, now=now, first_uses=first_uses)
        return
    while window.end is not None and window.end <= now:
        yield window
        window = Window(window.end, _end_after(definition, window.end))
    yield window


def _windows_of_use(
    definition: PoolDefinition, window: Window, *, now: datetime, first_uses: Sequence[datetime]
) -> Iterator[Window]:
    length = _window_of(definition.terms.reset)
    uses = iter(first_uses)
    if window.end is None:
        first = next(uses, None)
        if first is None:
            yield window
            return
        window = Window(first, first + length)
    while window.end is not None and window.end <= now:
        yield window
        first = next(uses, None)
        window = Window(window.end, None) if first is None else Window(first, first + length)
    yield window


def _end_after(definition: PoolDefinition, start: datetime) -> datetime | None:
    """Where a window ends that has begun because the one before it ended."""
    period = definition.period
    match definition.terms.reset.kind:
        case ResetKind.BILLING_CYCLE if period is not None:
            return next((bound for bound in period if bound > start), None)
        case ResetKind.CALENDAR:
            return _calendar_window(definition, start).end
        case _:
            return None


def latest_window(definition: PoolDefinition, window: Window, *, now: datetime) -> Window:
    """The one of the windows that has not ended by `now`, where the others are of no interest."""
    if definition.terms.reset.kind is ResetKind.CALENDAR and window.is_over(now):
        return _calendar_window(definition, now)
    return window


def end_moved(
    window: Window, *, before: PoolDefinition, after: PoolDefinition, now: datetime
) -> Window:
    """The running window where it is to end otherwise than before. A count goes on from where it began,
    so that no change starts it anew.
    """
    reset, period = after.terms.reset, after.period
    if before.terms.reset.kind is ResetKind.SLIDING_WINDOW and reset != before.terms.reset:
        window = Window(max(window.start, now - _window_of(before.terms.reset)), None)
    match reset.kind:
        case ResetKind.BILLING_CYCLE:
            if period is None:
                return window if reset == before.terms.reset else Window(window.start, None)
            end = next((bound for bound in period if bound > now), None)
            return Window(window.start, end)
        case ResetKind.CALENDAR:
            return Window(window.start, _calendar_window(after, now).end)
        case ResetKind.FIXED_WINDOW:
            if reset == before.terms.reset:
                return window
            return Window(window.start, now + _window_of(reset))
        case _:
            return Window(window.start, None)


def _calendar_window(definition: PoolDefinition, now: datetime) -> Window:
    interval = definition.terms.reset.interval or Interval(IntervalUnit.MONTH)
    anchor = _MONDAY if interval.unit is IntervalUnit.WEEK else _EPOCH
    period = Schedule(anchor, definition.zone, interval).containing(now)
    return Window(period.start, period.end)


def _window_of(reset: Reset) -> timedelta:
    # The catalog gives every window its length.
    assert reset.window is not None  # noqa: S101
    return reset.window
