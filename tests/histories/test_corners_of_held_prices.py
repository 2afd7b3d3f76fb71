"""Which prices hold when service stops and goes on before the renewal that brings the new ones?

January has 31 days: a month of 31.00 EUR costs one euro a day.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from billwright.features.catalog.model import Timing
from billwright.features.subscriptions.model import PauseProration
from billwright.features.subscriptions.rules.change import Target
from billwright.features.subscriptions.rules.items import items_with
from billwright.features.subscriptions.rules.kept_period import owed_again
from tests.histories.checks import check_life
from tests.histories.test_corners_that_histories_found import (
    FREE_TILL_RENEWAL,
    NOW,
    a_life,
    component,
    euros,
    go_on,
    january,
    leave,
    move,
    rest,
    seats,
    storage,
)

FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)


def test_what_is_in_arrears_has_the_old_price_and_minimum_after_a_pause():
    """2.00 a day, and 1.00 missing to the minimum, but for the pause from the 11th to the 16th; from
    February on 1.00 a day.
    """
    life = a_life(storage(minimums={"EUR": 9300}), second=(storage("28.00"),))
    move(life, 6, 1, FREE_TILL_RENEWAL)
    assert euros(life) == 93
    rest(life, 11)
    assert euros(life) == 30
    go_on(life, 16)
    assert euros(life) == 30 + 48
    for _ in range(2):  # at one instant that costs nothing
        rest(life, 16)
        go_on(life, 16)
    assert euros(life) == 30 + 48
    life.now = FEBRUARY.replace(day=11)
    life.catch_up()
    leave(life)
    assert euros(life) == 30 + 48 + 10
    check_life(life)


def test_what_a_plan_brings_in_arrears_comes_with_the_renewal_also_after_a_pause():
    life = a_life(component("base", "31.00"), second=(component("base", "31.00"), storage("28.00")))
    move(life, 6, 1, FREE_TILL_RENEWAL)
    rest(life, 11)
    go_on(life, 16)
    life.now = FEBRUARY
    life.catch_up()
    assert euros(life) == 31 + 31
    check_life(life)


def test_what_another_change_took_back_at_the_instant_of_a_pause_does_not_come_back():
    """2.00 a day up to the 11th, when three changes and a pause come at one instant; 1.00 a day of the
    plan in between, from the 16th to the 21st.
    """
    life = a_life(storage(), second=(storage("31.00"),))
    move(life, 6, 1, FREE_TILL_RENEWAL)
    move(life, 11, 0, NOW)
    move(life, 11, 1, NOW)
    move(life, 11, 0, FREE_TILL_RENEWAL)
    rest(life, 11)
    go_on(life, 16)
    leave(life, 21)
    assert euros(life) == 20 + 5
    check_life(life)


def test_units_in_arrears_that_come_later_are_not_owed_before():
    """One seat at 1.00 a day in arrears; three from February on."""
    life = a_life(seats("31.00", timing=Timing.IN_ARREARS))
    life.now = january(6)
    (own,) = life.version.components
    items = items_with(life.subscription, own, quantity=Decimal(3))
    life.change_to(Target(version=life.version, items=items), FREE_TILL_RENEWAL)
    rest(life, 11)
    go_on(life, 16)
    life.now = FEBRUARY
    life.catch_up()
    assert euros(life) == 31 - 5
    life.now = FEBRUARY.replace(month=3)
    life.catch_up()
    assert euros(life) == 31 - 5 + 93
    check_life(life)


def test_a_pause_that_gives_back_ends_the_old_price_with_its_period():
    """Also at the very instant at which the period began, where a like one begins with the resumption."""
    life = a_life(component("base", "31.00"), second=(component("base", "62.00"),))
    move(life, 1, 1, FREE_TILL_RENEWAL)
    rest(life, 1, PauseProration.CREDIT)
    go_on(life, 1)
    assert euros(life) == 62
    check_life(life)


def test_what_was_given_back_altogether_is_not_owed_again():
    life = a_life(storage(), second=(storage("31.00"),))
    move(life, 6, 1, FREE_TILL_RENEWAL)
    facts = life.facts_at(january(11))
    (early,) = facts.live
    assert owed_again(facts) == (early.id,)
    forgiven = replace(early, credited_minor=early.charge.amount_minor)
    assert owed_again(replace(facts, live=(forgiven,))) == ()
