"""Does the clock give aware UTC instants?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from billwright.runtime.clock import FixedClock, SystemClock


def test_system_clock_is_aware_and_in_utc():
    earlier = SystemClock().now()
    assert earlier.tzinfo is UTC
    assert SystemClock().now() >= earlier


def test_fixed_clock_stands_still_until_moved():
    clock = FixedClock(datetime(2026, 1, 31, tzinfo=UTC))
    assert clock.now() == clock.now() == datetime(2026, 1, 31, tzinfo=UTC)
    clock.move_to(datetime(2026, 2, 28, 12, tzinfo=UTC))
    assert clock.now() == datetime(2026, 2, 28, 12, tzinfo=UTC)


def test_fixed_clock_keeps_other_zones_in_utc():
    clock = FixedClock(datetime(2026, 7, 1, 2, tzinfo=timezone(timedelta(hours=2))))
    assert clock.now().tzinfo is UTC
    assert clock.now() == datetime(2026, 7, 1, tzinfo=UTC)


def test_fixed_clock_refuses_an_instant_without_a_zone():
    with pytest.raises(ValueError, match="time zone"):
        FixedClock(datetime(2026, 7, 1))  # noqa: DTZ001
