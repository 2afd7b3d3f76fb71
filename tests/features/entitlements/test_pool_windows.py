"""When does a count start anew, and what is left of it then?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from billwright.features.catalog.model import Reset, ResetKind
from billwright.features.usage.model import Aggregation, MeterDefinition, WholeUnits
from billwright.kernel.calendar import Interval, IntervalUnit
from tests.features.entitlements.pool_play import APRIL, MARCH, Play, calls, march


def shown(play, now):
    """Limit, used, overage and what is left."""
    standing = play.look(now)
    numbers = (standing.limit, standing.used, standing.overage, standing.left)
    return tuple(None if one is None else float(one) for one in numbers)


def test_a_billing_cycle_ends_with_the_period_also_when_its_renewal_is_late():
    play = Play(calls(100))
    play.use(march(10), 70)
    assert shown(play, march(20)) == (100, 70, 0, 30)
    assert play.look(march(20)).pool.window_end == MARCH[1]
    # April has begun and nobody has renewed: it counts, without an end that anybody knows.
    play.use(march(32), 20)
    assert shown(play, march(33)) == (100, 20, 0, 80)
    assert play.look(march(33)).pool.window_end is None
    play.change(calls(100, period=APRIL), march(34))
    assert shown(play, march(34)) == (100, 20, 0, 80)
    assert play.look(march(34)).pool.window_end == APRIL[1]


def test_a_new_period_begins_with_all_of_a_new_plan_however_late_it_is_billed():
    play = Play(calls(100))
    play.use(march(32), 20)
    play.look(march(32, 1))
    play.change(calls(300, period=APRIL), march(33))
    # Not 100 + (300 - 100) x 29/30: the plan changed with the period.
    assert shown(play, march(33)) == (300, 20, 0, 280)


def test_a_period_that_begins_anew_on_the_way_counts_from_there():
    play = Play(calls(100))
    play.use(march(5), 60)
    play.use(march(15), 7)
    anchor = (march(10), march(41))
    play.change(calls(100, period=anchor), march(20))
    assert shown(play, march(20)) == (100, 7, 0, 93)


def test_calendar_weeks_begin_on_monday_in_the_zone():
    weekly = Reset(ResetKind.CALENDAR, interval=Interval(IntervalUnit.WEEK))
    play = Play(calls(100, reset=weekly, zone="America/New_York"), began_at=march(3))
    # Monday 2026-03-09 begins in New York at 4:00 UTC, the clocks having gone forward on Sunday.
    play.use(datetime(2026, 3, 9, 3, 59, tzinfo=UTC), 30)
    play.use(datetime(2026, 3, 9, 4, 0, tzinfo=UTC), 5)
    assert shown(play, march(9, 3, 59)) == (100, 30, 0, 70)
    assert play.look(march(9, 3, 59)).pool.window_end == datetime(2026, 3, 9, 4, tzinfo=UTC)
    assert shown(play, march(9, 4)) == (100, 5, 0, 95)


def test_two_calendar_days_are_counted_from_1970():
    reset = Reset(ResetKind.CALENDAR, interval=Interval(IntervalUnit.DAY, 2))
    pool = Play(calls(5, reset=reset)).look(march(1)).pool
    # 2026-03-01 is day 20,513 since 1970-01-01, an odd one: its pair began the day before.
    assert (pool.window_start, pool.window_end) == (march(0), march(2))


def test_a_fixed_window_begins_with_the_first_use_after_the_one_before():
    hourly = Reset(ResetKind.FIXED_WINDOW, window=timedelta(hours=1))
    play = Play(calls(10, reset=hourly))
    assert shown(play, march(1, 5)) == (10, 0, 0, 10)
    assert play.look(march(1, 5)).pool.window_end is None
    play.use(march(1, 6, 0), 4)
    play.use(march(1, 6, 50), 4)
    assert shown(play, march(1, 6, 59)) == (10, 8, 0, 2)
    assert play.look(march(1, 6, 59)).pool.window_end == march(1, 7)
    # Nothing is used at 7:00, so that the next hour begins at 7:20.
    assert shown(play, march(1, 7)) == (10, 0, 0, 10)
    play.use(march(1, 7, 20), 1)
    assert play.look(march(1, 7, 30)).pool.window_end == march(1, 8, 20)
    # Whoever comes back days later finds the windows that there were meanwhile.
    for minute in (0, 30, 70, 100, 135):
        play.use(march(3) + timedelta(minutes=minute), 2)
    # 0:00 with 0:30, 1:10 with 1:40, 2:15.
    assert shown(play, march(3, 2, 20)) == (10, 2, 0, 8)
    assert play.look(march(3, 2, 20)).pool.window_start == march(3, 2, 15)


def test_a_sliding_window_counts_the_last_while_at_each_look():
    daily = Reset(ResetKind.SLIDING_WINDOW, window=timedelta(days=1))
    play = Play(calls(10, reset=daily))
    play.use(march(1, 12), 6)
    play.use(march(1, 18), 3)
    assert shown(play, march(1, 18)) == (10, 9, 0, 1)
    assert shown(play, march(2, 11, 59)) == (10, 9, 0, 1)
    # What occurred exactly a day ago does not count any more.
    assert shown(play, march(2, 12)) == (10, 3, 0, 7)
    # A grant widens it while it is in force, and nothing is taken from it.
    play.grant(march(2, 13), 5, expires_at=march(2, 15))
    assert shown(play, march(2, 14)) == (15, 3, 0, 12)
    assert shown(play, march(2, 15)) == (10, 3, 0, 7)


def test_what_never_starts_anew_is_counted_from_the_beginning():
    play = Play(calls(10, reset=Reset(ResetKind.NEVER)))
    play.use(march(2), 4)
    play.use(march(60), 5)
    assert shown(play, march(90)) == (10, 9, 0, 1)
    assert play.look(march(90)).pool.window_end is None


def test_a_grant_keeps_what_its_rollover_says():
    play = Play(calls(100))
    # Grants that expire before the window does are taken first; these have no end, so that the
    # allowance, which ends with the window, is.
    bounded = play.grant(march(2), 60, rollover_max=Decimal(25))
    filled = play.grant(march(2), 50, rollover_min=Decimal(40), priority=101)
    play.use(march(20), 190)
    # 100 of the allowance, 60 of the first grant, 30 of the second: 20 are left.
    assert shown(play, march(25)) == (210, 190, 0, 20)
    play.change(calls(100, period=APRIL), march(32))
    # min(25, max(0, 0)) = 0 and min(50, max(40, 20)) = 40.
    balances = play.balances(march(32))
    assert (balances[bounded], balances[filled]) == (0, 40)
    assert shown(play, march(32)) == (140, 0, 0, 140)


def test_a_recurring_grant_is_issued_anew_and_does_not_pile_up():
    play = Play(calls(0, reset=Reset(ResetKind.NEVER)))
    key = play.grant(march(1), 10, recurrence=Interval(IntervalUnit.WEEK), expires_at=march(20))
    play.use(march(5), 4)
    assert shown(play, march(6)) == (10, 4, 0, 6)
    # It is issued again on the 8th and on the 15th: 10 each time, whatever was left. The limit is what
    # was used within it and what is left.
    assert shown(play, march(8)) == (14, 4, 0, 10)
    play.use(march(9), 12)
    assert shown(play, march(10)) == (14, 16, 2, 0)
    assert shown(play, march(16)) == (24, 16, 2, 10)
    assert next(one for one in play.holding.allotments if one.id == key).issued_index == 2
    assert shown(play, march(20)) == (14, 16, 2, 0)


def test_overage_counts_against_the_next_window_where_it_is_preserved():
    kept = Play(calls(100, preserve_overage=True))
    forgotten = Play(calls(100))
    for play in (kept, forgotten):
        play.use(march(10), 130)
        assert shown(play, march(11)) == (100, 130, 30, 0)
        play.change(calls(100, period=APRIL, preserve_overage=play is kept), march(32))
    # The 30 are used already when April begins.
    assert shown(kept, march(33)) == (100, 30, 0, 70)
    assert shown(forgotten, march(33)) == (100, 0, 0, 100)


def test_usage_is_taken_from_what_was_there_when_it_occurred():
    play = Play(calls(100))
    first = play.grant(march(2), 50, expires_at=march(10), priority=1)
    play.use(march(5), 30)
    assert play.balances(march(6))[first] == 20
    # 40 of the 12th find a grant that has expired, with 20 unused.
    play.use(march(12), 40)
    assert shown(play, march(12)) == (130, 70, 0, 60)
    # It becomes known late that 15 more were used on the 9th, when the grant was there.
    play.use(march(9), 15)
    assert shown(play, march(13)) == (145, 85, 0, 60)


def test_a_pool_never_goes_back_to_an_earlier_moment():
    play = Play(calls(100))
    play.grant(march(2), 50, effective_at=march(10))
    play.use(march(5), 30)
    assert shown(play, march(10)) == (150, 30, 0, 120)
    # Somebody whose transaction began a moment before the grant, and comes after it.
    assert shown(play, march(10) - timedelta(milliseconds=1)) == (150, 30, 0, 120)


def test_a_level_is_not_used_up():
    seats = MeterDefinition(event_type="api_calls", aggregation=Aggregation.MAX)
    play = Play(calls(10), meter=seats)
    play.use(march(2), 7)
    play.use(march(3), 4)
    assert shown(play, march(4)) == (10, 7, 0, 3)
    # All of the new limit at once, whatever is left of the month.
    play.change(calls(5), march(16))
    assert shown(play, march(17)) == (5, 7, 2, 0)
    # What was told of the time to come does not count before.
    play.use(march(25), 9)
    assert shown(play, march(20)) == (5, 7, 2, 0)
    assert shown(play, march(26)) == (5, 9, 4, 0)


def test_whole_units_are_rounded_once_for_all_that_was_used():
    meter = MeterDefinition(event_type="api_calls", rounding=WholeUnits.CEIL)
    play = Play(calls(10), meter=meter)
    play.use(march(2), "0.4")
    play.grant(march(3), 5, expires_at=march(4))
    play.use(march(3, 12), "0.4")
    play.use(march(5), "0.4")
    # Three parts of 0.4 each are 1.2 and so 2 units, not 3. The first began a unit of the allowance, the
    # second none, and the third, after the grant, another one of the allowance.
    assert shown(play, march(6)) == (10, 2, 0, 8)
