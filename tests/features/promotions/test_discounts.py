"""How much do promotions take off, and what do they have left?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.promotions.model import (
    Discountable,
    Duration,
    PromotionKind,
    RedemptionState,
)
from billwright.features.promotions.rules.discounts import discounts_of, given_back
from billwright.kernel.currency import currency_of
from tests.features.promotions.redeeming import a_line, day, days, once_off, redeemed

EUR = currency_of("EUR")
PERCENTAGE, FIXED = PromotionKind.PERCENTAGE, PromotionKind.FIXED_AMOUNT
FREE_PERIODS, FREE_DAYS = PromotionKind.FREE_PERIODS, PromotionKind.FREE_DAYS
ACTIVE, EXHAUSTED, ENDED = RedemptionState


def discount(lines, *redemptions, period=0):
    return discounts_of(lines, redemptions, currency=EUR, period_start=day(period))


def taken(discounted):
    """What each line gave, in the order in which it was taken."""
    return [[amount for _, amount in line] for line in discounted.discounts]


def lived(redemption, *lines_by_period, length=30):
    """What one redemption takes off each of several periods, and how it ends."""
    totals = []
    for number, lines in enumerate(lines_by_period):
        discounted = discount(lines, redemption, period=number * length)
        totals.append(sum(sum(line) for line in taken(discounted)))
        (redemption,) = discounted.redemptions
    return totals, redemption


def test_a_percentage_is_rounded_half_up_on_every_line():
    # 12.5 % of 9.90, 0.20 and 0.03 are 1.2375, 0.025 and 0.00375.
    lines = [a_line(990), once_off(20), a_line(3)]
    discounted = discount(lines, redeemed(PERCENTAGE, percent=Decimal("12.5")))
    assert taken(discounted) == [[124], [3], []]


def test_a_percentage_once_counts_one_period_however_often_it_is_billed():
    spring = redeemed(PERCENTAGE)
    (used,) = discount([a_line(1000)], spring).redemptions
    assert (used.state, used.remaining_periods, used.last_period_start) == (ACTIVE, 0, day(0))
    again = discount([a_line(2000, 10)], used)
    assert taken(again) == [[400]]
    assert again.redemptions == (used,)
    later = discount([a_line(1000, 30, 60)], used, period=30)
    assert taken(later) == [[]]
    assert later.redemptions == (replace(used, state=EXHAUSTED),)


def test_a_duration_counts_periods():
    lines = [a_line(1000)]
    three = redeemed(PERCENTAGE, duration=Duration.PERIODS, duration_periods=3)
    assert lived(three, *[lines] * 5)[0] == [200, 200, 200, 0, 0]
    forever = redeemed(PERCENTAGE, duration=Duration.FOREVER)
    assert lived(forever, *[lines] * 5) == ([200] * 5, forever)


def test_a_period_in_which_nothing_is_taken_off_does_not_count():
    spring = redeemed(PERCENTAGE, minimum_minor=2000, currency="EUR")
    below, enough = [a_line(1999)], [a_line(1500), once_off(500)]
    assert lived(spring, [], below, [a_line(0)], enough, enough)[0] == [0, 0, 0, 400, 0]


def test_an_earlier_period_is_not_counted_again():
    three = redeemed(PERCENTAGE, duration=Duration.PERIODS, duration_periods=3)
    (used,) = discount([a_line(1000, 30, 60)], three, period=30).redemptions
    late = discount([a_line(1000)], used, period=0)
    assert taken(late) == [[200]]
    assert late.redemptions == (used,)


def test_a_fixed_amount_is_shared_by_largest_remainder():
    # 50.00 over 29.00, 19.80 and 9.90: 24.7017, 16.8654 and 8.4327 sum to 49.98 rounded down; the
    # largest remainders are those of the second and the first.
    lines = [a_line(2900), a_line(1980), once_off(990)]
    discounted = discount(lines, redeemed(FIXED))
    assert taken(discounted) == [[2470], [1687], [843]]
    assert discounted.redemptions[0].state is EXHAUSTED


def test_what_is_left_of_a_fixed_amount_is_carried():
    totals, left = lived(redeemed(FIXED), [a_line(2900)], [], [a_line(1500)], [a_line(2900)])
    assert totals == [2900, 0, 1500, 600]
    assert (left.state, left.remaining_minor) == (EXHAUSTED, 0)


def test_an_amount_for_each_period_is_not_carried():
    lines = [a_line(2900)], [a_line(9000)], [a_line(9000)]
    two = redeemed(FIXED, duration=Duration.PERIODS, duration_periods=2)
    assert lived(two, *lines)[0] == [2900, 5000, 0]
    forever = redeemed(FIXED, duration=Duration.FOREVER)
    assert lived(forever, *lines)[0] == [2900, 5000, 5000]
    # A second computation in a period has what the first one left of the amount: 50.00 - 29.00.
    (used,) = discount([a_line(2900)], two).redemptions
    second = discount([a_line(9000, 10)], used)
    assert taken(second) == [[2100]]
    assert second.redemptions[0].remaining_periods == 1


def test_free_periods_concern_what_recurs():
    lines = [a_line(2900), once_off(500)]
    discounted = discount(lines, redeemed(FREE_PERIODS))
    assert taken(discounted) == [[2900], []]
    assert lived(redeemed(FREE_PERIODS), lines, lines, lines)[0] == [2900, 2900, 0]


def test_free_days_are_a_share_of_each_line_that_covers_them():
    # 7 of 30 days: 7/30 of 29.00 and 9.90 are 6.7667 and 2.31.
    lines = [a_line(2900), a_line(990), once_off(500)]
    discounted = discount(lines, redeemed(FREE_DAYS))
    assert taken(discounted) == [[677], [231], []]
    (used,) = discounted.redemptions
    assert (used.state, used.remaining_seconds) == (EXHAUSTED, 0)


def test_free_days_are_carried():
    # 45 days: the first 30, then 15 of the next 30.
    totals, left = lived(
        redeemed(FREE_DAYS, count=45),
        [a_line(3000)],
        [a_line(3000, 30, 60)],
        [a_line(3000, 60, 90)],
    )
    assert totals == [3000, 1500, 0]
    assert left.state is EXHAUSTED


def test_free_time_is_the_first_that_is_billed():
    # Arrears of days 0 to 30, a unit that came on day 20, and days 30 to 60 in advance. Of 40 free
    # days, 30 cover the first two lines and 10 of 30 the third.
    lines = [a_line(3000, 30, 60), a_line(1000, 20, 30), a_line(3000)]
    discounted = discount(lines, redeemed(FREE_DAYS, count=40))
    assert taken(discounted) == [[1000], [1000], [3000]]
    # Of 25, 5 of the 10 days of the unit that came late.
    discounted = discount(lines, redeemed(FREE_DAYS, count=25))
    assert taken(discounted) == [[], [500], [2500]]


def test_a_started_second_of_free_time_is_used():
    line = Discountable(1000, True, day(0), day(0) + timedelta(microseconds=1))
    discounted = discount([line], redeemed(FREE_DAYS))
    assert taken(discounted) == [[1000]]
    assert discounted.redemptions[0].remaining_seconds == days(7) - 1


def test_promotions_stack_in_a_fixed_order():
    later = day(1)
    fixed, half = redeemed(FIXED, amount_minor=300), redeemed(PERCENTAGE, percent=Decimal(50))
    tenth = redeemed(PERCENTAGE, percent=Decimal(10), at=later)
    week, fortnight = redeemed(FREE_DAYS, count=6), redeemed(FREE_DAYS, count=9, at=later)
    # 6 of 30 days are 600 of 3000, the next 9 days 900; half of 1500 is 750; 10 % of 750 is 75; the
    # fixed amount is shared between 675 and what is left of 1000, which is 450.
    discounted = discount([a_line(3000), once_off(1000)], fixed, tenth, fortnight, half, week)
    assert taken(discounted) == [[600, 900, 750, 75, 180], [500, 50, 120]]
    order = [fixed, tenth, fortnight, half, week]
    assert [one.id for one in discounted.redemptions] == [one.id for one in order]
    month = redeemed(FREE_PERIODS)
    discounted = discount([a_line(3000)], fixed, week, month, half)
    assert taken(discounted) == [[3000]]
    assert discounted.redemptions[:2] == (fixed, week)
    assert discounted.redemptions[3] == half


@pytest.mark.parametrize(
    "idle",
    [
        replace(redeemed(PERCENTAGE), state=EXHAUSTED),
        replace(redeemed(FIXED), state=ENDED),
        replace(redeemed(FREE_PERIODS), state=ENDED, remaining_periods=0),
        redeemed(FIXED, currency="USD"),
        redeemed(PERCENTAGE, currency="USD"),
        redeemed(FREE_DAYS, minimum_minor=3001, currency="EUR"),
    ],
)
def test_what_does_not_apply_changes_nothing(idle):
    discounted = discount([a_line(3000)], idle)
    assert taken(discounted) == [[]]
    assert discounted.redemptions == (idle,)


def test_a_change_of_plan_and_back_costs_no_fixed_amount():
    # 50.00 covers 29.00; half of the period later the rest is credited, 14.50 comes back, and the
    # new plan's half of 80.00 takes all that is left: 35.50.
    (used,) = discount([a_line(2900)], redeemed(FIXED)).redemptions
    back = given_back(used, amount_minor=1450, seconds=0)
    assert back.remaining_minor == 2100 + 1450
    changed = discount([a_line(4000, 15)], back)
    assert taken(changed) == [[3550]]
    (used,) = changed.redemptions
    assert used.state is EXHAUSTED
    assert given_back(used, amount_minor=3550, seconds=0) == back


def test_what_comes_back_is_never_more_than_was_given():
    fixed, week = redeemed(FIXED), redeemed(FREE_DAYS)
    assert given_back(fixed, amount_minor=1, seconds=0) == fixed
    assert given_back(week, amount_minor=0, seconds=1) == week


@pytest.mark.parametrize(
    "redemption",
    [
        replace(redeemed(PERCENTAGE), remaining_periods=0),
        replace(redeemed(FREE_PERIODS), state=EXHAUSTED, remaining_periods=0),
        replace(redeemed(FIXED), state=ENDED, remaining_minor=0),
        replace(redeemed(FREE_DAYS), state=ENDED, remaining_seconds=0),
    ],
)
def test_nothing_comes_back_to_other_kinds_and_to_what_was_stopped(redemption):
    assert given_back(redemption, amount_minor=100, seconds=100) == redemption


def test_an_amount_whose_periods_are_over_does_not_come_back_to_life():
    spring = redeemed(FIXED, duration=Duration.PERIODS, duration_periods=1)
    _, over = lived(spring, [a_line(2900)], [a_line(2900)])
    assert over.state is EXHAUSTED
    assert given_back(over, amount_minor=2900, seconds=0).state is EXHAUSTED


amounts = st.integers(0, 10**7)
instants = st.timedeltas(timedelta(0), timedelta(days=120)).map(lambda past: day(0) + past)


@st.composite
def recurring_lines(draw):
    start, end = sorted((draw(instants), draw(instants)))
    return Discountable(draw(amounts), draw(st.booleans()), start, end)


@st.composite
def redemptions(draw, kinds=tuple(PromotionKind)):
    kind = draw(st.sampled_from(kinds))
    changes = {"at": day(draw(st.integers(0, 3)))}
    match kind:
        case PromotionKind.PERCENTAGE:
            changes["percent"] = draw(st.decimals("0.0001", 100, places=4))
        case PromotionKind.FIXED_AMOUNT:
            changes["amount_minor"] = draw(st.integers(1, 10**7))
        case PromotionKind.FREE_PERIODS:
            changes["count"] = draw(st.integers(1, 12))
        case PromotionKind.FREE_DAYS:
            changes["count"] = draw(st.integers(1, 120))
    if kind in {PERCENTAGE, FIXED}:
        changes["duration"] = draw(st.sampled_from(Duration))
    if changes.get("duration") is Duration.PERIODS:
        changes["duration_periods"] = draw(st.integers(1, 12))
    if draw(st.booleans()):
        changes |= {"minimum_minor": draw(st.integers(1, 10**6)), "currency": "EUR"}
    return redeemed(kind, **changes)


computations = st.lists(recurring_lines(), max_size=6)
sets = st.lists(redemptions(), max_size=5)


@given(computations, sets)
def test_discounts_never_exceed_a_line(lines, some):
    discounted = discount(lines, *some)
    for line, amounts_of_line in zip(lines, taken(discounted), strict=True):
        assert all(amount > 0 for amount in amounts_of_line)
        assert sum(amounts_of_line) <= line.amount_minor
    for after in discounted.redemptions:
        assert (after.remaining_minor or 0) >= 0
        assert (after.remaining_periods or 0) >= 0
        assert (after.remaining_seconds or 0) >= 0


@given(st.lists(st.tuples(computations, st.booleans()), max_size=6), redemptions([FIXED]))
def test_a_fixed_amount_is_never_exceeded(steps, redemption):
    allowed, total, period = redemption.amount_minor, 0, 0
    for lines, is_next_period in steps:
        if is_next_period:
            period += 30
            if redemption.renews_amount:
                allowed, total = redemption.amount_minor, 0
        discounted = discount(lines, redemption, period=period)
        (redemption,) = discounted.redemptions
        total += sum(sum(line) for line in taken(discounted))
        assert total <= allowed
        if redemption.duration is Duration.ONCE:
            assert redemption.remaining_minor == allowed - total


@given(computations, redemptions([FIXED, FREE_DAYS]))
def test_to_give_all_back_restores_a_redemption(lines, before):
    before = replace(before, duration=Duration.ONCE, remaining_periods=None)
    discounted = discount(lines, before)
    (after,) = discounted.redemptions
    back = given_back(
        after,
        amount_minor=sum(sum(line) for line in taken(discounted)),
        seconds=(before.remaining_seconds or 0) - (after.remaining_seconds or 0),
    )
    assert back == before


@given(st.data(), computations, sets)
def test_the_order_of_lines_and_redemptions_changes_no_total(data, lines, some):
    def totals(discounted):
        return {
            one.id: sum(
                amount
                for line in discounted.discounts
                for redemption_id, amount in line
                if redemption_id == one.id
            )
            for one in discounted.redemptions
        }

    one = discount(lines, *some)
    other = discount(data.draw(st.permutations(lines)), *data.draw(st.permutations(some)))
    assert totals(one) == totals(other)
    assert {each.id: each for each in one.redemptions} == {
        each.id: each for each in other.redemptions
    }


@given(st.lists(amounts, min_size=1, max_size=5), st.integers(1, 60), st.integers(1, 60))
def test_free_days_one_after_the_other_are_as_many_together(listed, first, second):
    lines = [a_line(amount) for amount in listed]
    apart = discount(
        lines, redeemed(FREE_DAYS, count=first), redeemed(FREE_DAYS, count=second, at=day(1))
    )
    together = discount(lines, redeemed(FREE_DAYS, count=first + second))
    for one, other in zip(taken(apart), taken(together), strict=True):
        assert abs(sum(one) - sum(other)) <= 1  # each is rounded once
