"""What does each unit cost at the price of its own tier?"""

from __future__ import annotations

from decimal import Decimal, Inexact
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.pricing.rules.models.graduated import Graduated
from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.pricing.rules.parts import PricePart
from billwright.features.pricing.rules.tiers import Tier
from tests.features.pricing.definitions import (
    prices,
    quantities,
    tier,
    tiers,
)

SEATS = Graduated(tiers=(tier("10", "9", "5"), tier("50", "7"), tier(None, "5", "20")))
"""9.00 up to 10 seats and 5.00 once; 7.00 up to 50; 5.00 for more and 20.00 once."""


several_tiers = tiers.filter(lambda tiers: len(tiers) > 1)


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        ("0", "0"),  # no tier is entered, so no flat price is owed
        ("1", "14"),  # 1 x 9.00 + 5.00
        ("10", "95"),  # 10 x 9.00 + 5.00: the bound is in the tier that it ends
        ("11", "102"),  # 95.00 + 1 x 7.00
        ("10.5", "98.5"),  # 95.00 + 0.5 x 7.00
        ("50", "375"),  # 95.00 + 40 x 7.00 = 95.00 + 280.00
        ("50.000001", "395.000005"),  # 375.00 + 20.00 + 0.000001 x 5.00
        ("60", "445"),  # 375.00 + 20.00 + 10 x 5.00
    ],
)
def test_each_unit_costs_what_its_tier_says(quantity, amount):
    assert SEATS.amount(Decimal(quantity)) == Fraction(amount)


def test_the_parts_are_the_tiers_entered():
    parts = SEATS.breakdown(Decimal(12))
    assert parts == (
        PricePart(
            quantity=Decimal(10),
            up_to=Decimal(10),
            unit_price=Decimal(9),
            flat_price=Decimal(5),
        ),
        PricePart(
            quantity=Decimal(2),
            above=Decimal(10),
            up_to=Decimal(50),
            unit_price=Decimal(7),
            flat_price=Decimal(0),
        ),
    )
    # 10 x 9.00 + 5.00 and 2 x 7.00
    assert [part.amount for part in parts] == [95, 14]


def test_a_first_tier_for_nothing_gives_units_free():
    # 1,000 free, then 250 x 0.002 = 0.50
    pricing = Graduated(tiers=(tier("1000", "0"), tier(None, "0.002")))
    assert pricing.amount(Decimal(1250)) == Fraction(1, 2)


@given(tiers, quantities)
def test_it_is_the_sum_of_a_price_per_unit_in_every_tier(tiers, quantity):
    expected = Fraction(0)
    below = Decimal(0)
    for each in tiers:
        reach = quantity if each.up_to is None else min(quantity, each.up_to)
        if reach > below:
            expected += PerUnit(price=each.unit_price).amount(reach - below)
            expected += Fraction(each.flat_price)
            below = reach
    assert Graduated(tiers=tiers).amount(quantity) == expected


@given(prices, quantities)
def test_one_tier_is_a_price_per_unit(price, quantity):
    pricing = Graduated(tiers=(Tier(up_to=None, unit_price=price),))
    assert pricing.amount(quantity) == PerUnit(price=price).amount(quantity)


@given(several_tiers, quantities, st.data())
def test_a_quantity_splits_at_a_bound(tiers, more, data):
    """Up to the bound by these tiers, beyond it by those that follow, moved down by the bound."""
    index = data.draw(st.integers(0, len(tiers) - 2))
    bound = tiers[index].up_to
    rest = Graduated(
        tiers=tuple(
            Tier(
                up_to=None if each.up_to is None else each.up_to - bound,
                unit_price=each.unit_price,
                flat_price=each.flat_price,
            )
            for each in tiers[index + 1 :]
        )
    )
    whole = Graduated(tiers=tiers)
    assert whole.amount(bound + more) == whole.amount(bound) + rest.amount(more)


@given(several_tiers, st.data())
def test_a_bound_is_crossed_without_a_jump_but_for_the_flat_price(tiers, data):
    index = data.draw(st.integers(0, len(tiers) - 2))
    bound = tiers[index].up_to
    least = Decimal("0.000001")
    pricing = Graduated(tiers=tiers)
    following = tiers[index + 1]
    jump = pricing.amount(bound + least) - pricing.amount(bound)
    unit = Fraction(following.unit_price) * Fraction(least)
    assert jump == unit + Fraction(following.flat_price)


def test_a_quantity_is_never_rounded():
    with pytest.raises(Inexact):
        SEATS.amount(Decimal("60." + "0" * 120 + "1"))
