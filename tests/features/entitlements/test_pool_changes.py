"""What does a change of plan give within a window?"""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.catalog.model import AllowanceChange, Reset, ResetKind
from tests.features.entitlements.pool_play import APRIL, Play, calls, march

EVERY_WAY = list(AllowanceChange)
LIMITS = st.one_of(st.none(), st.integers(0, 10_000))


def left(play, now):
    return play.look(now).left


def test_the_share_of_the_difference_that_is_left_of_the_window():
    play = Play(calls(1000))
    play.use(march(2), 900)
    # From the 16th at noon, 15.5 of 31 days are left: half of 600 is 300.
    play.change(calls(1600), march(16, 12))
    assert left(play, march(17)) == 1000 + 300 - 900
    assert play.look(march(17)).limit == 1300
    # Back at the same instant, nothing has happened.
    play.change(calls(1000), march(16, 12))
    assert left(play, march(17)) == 100
    # Less than was used: 100 - 450 are below zero, which is none, and more usage is beyond.
    play.change(calls(100), march(16, 12))
    assert left(play, march(17)) == 0
    play.use(march(18), 5)
    standing = play.look(march(19))
    assert (standing.overage, standing.left, standing.used) == (5, 0, 905)


def test_a_share_is_rounded_to_the_millionth():
    play = Play(calls(0))
    # 20 of 31 days of 1: 0.6451612903...
    play.change(calls(1), march(12))
    assert left(play, march(12)) == Decimal("0.645161")


@pytest.mark.parametrize(
    ("on_change", "expected"),
    [
        (AllowanceChange.PRORATE_GRANT, 1000 + 1000 // 2 - 700),
        (AllowanceChange.GRANT_DELTA, 2000 - 700),
        (AllowanceChange.GRANT_FULL, 2000),
    ],
)
def test_each_way_of_a_change(on_change, expected):
    play = Play(calls(1000, on_change=on_change))
    play.use(march(3), 700)
    play.change(calls(2000, on_change=on_change), march(16, 12))
    assert left(play, march(20)) == expected


def test_a_new_source_gives_all_of_its_limit_and_takes_it_along():
    play = Play(calls({"plan": 100}))
    play.use(march(3), 80)
    play.change(calls({"plan": 100, "add_on": 50}), march(20))
    assert left(play, march(20)) == 70
    play.use(march(21), 30)
    # The allowances were there in turn: 20 of the plan's and 10 of the add-on's are gone.
    play.change(calls({"plan": 100}), march(22))
    assert left(play, march(22)) == 0
    # A source that comes back within the window has what it had left, not all of it again.
    play.change(calls({"plan": 100, "add_on": 50}), march(23))
    assert left(play, march(23)) == 40
    play.change(calls({"plan": 100, "add_on": 50}, period=APRIL), march(32))
    assert left(play, march(32)) == 150


def test_no_limit_begins_and_ends_at_once():
    play = Play(calls(100))
    play.use(march(3), 90)
    play.change(calls(None), march(4))
    play.use(march(5), 5000)
    standing = play.look(march(6))
    assert (standing.limit, standing.used, standing.overage) == (None, 5090, 0)
    # What was used without a limit was taken from nothing; 10 were left before, and the new limit is
    # higher by 20.
    play.change(calls(120), march(7))
    assert left(play, march(8)) == 30


def test_no_change_starts_a_count_anew():
    play = Play(calls(100))
    play.use(march(3), 100)
    play.change(calls(100, reset=Reset(ResetKind.NEVER)), march(4))
    assert left(play, march(4)) == 0
    play.change(calls(100, reset=Reset(ResetKind.CALENDAR)), march(5))
    assert left(play, march(5)) == 0
    play.change(calls(100), march(6))
    assert left(play, march(6)) == 0


@given(
    before=LIMITS,
    between=LIMITS,
    used=st.integers(0, 20_000),
    day=st.integers(2, 31),
    on_change=st.sampled_from([AllowanceChange.PRORATE_GRANT, AllowanceChange.GRANT_DELTA]),
)
def test_there_and_back_at_one_instant_is_nothing(before, between, used, day, on_change):
    changed = Play(calls(before, on_change=on_change))
    same = Play(calls(before, on_change=on_change))
    for play in (changed, same):
        play.use(march(1, 12), used)
    changed.change(calls(between, on_change=on_change), march(day))
    changed.change(calls(before, on_change=on_change), march(day))
    for now in (march(day), march(31, 12)):
        numbers = [
            (s.used, s.overage, s.left, s.limit) for s in (changed.look(now), same.look(now))
        ]
        assert numbers[0] == numbers[1]


@given(
    limits=st.lists(st.integers(0, 1000), min_size=2, max_size=5),
    day=st.integers(2, 31),
    on_change=st.sampled_from(EVERY_WAY),
)
def test_a_change_in_several_steps_at_one_instant_is_one_change(limits, day, on_change):
    stepwise, at_once = (Play(calls(limits[0], on_change=on_change)) for _ in range(2))
    for limit in limits[1:]:
        stepwise.change(calls(limit, on_change=on_change), march(day))
    at_once.change(calls(limits[-1], on_change=on_change), march(day))
    # Each step is rounded to the millionth.
    difference = abs(stepwise.look(march(31)).left - at_once.look(march(31)).left)
    assert difference <= Decimal("0.000001") * len(limits) or limits[0] == limits[-1]
