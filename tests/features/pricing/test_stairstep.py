"""What does the step cost that the quantity is in?"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.pricing.rules.models.flat import Flat
from billwright.features.pricing.rules.models.stairstep import Stairstep
from billwright.features.pricing.rules.parts import PricePart
from billwright.features.pricing.rules.tiers import Step
from tests.features.pricing.definitions import prices, quantities, step, steps

CONTACTS = Stairstep(tiers=(step("500", "0"), step("2000", "29"), step(None, "99")))
"""Nothing up to 500 contacts, 29.00 up to 2,000, 99.00 for more."""


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        ("0", "0"),
        ("500", "0"),
        ("500.5", "29"),
        ("501", "29"),
        ("2000", "29"),  # the bound is in the step that it ends
        ("2001", "99"),
        ("1000000", "99"),
    ],
)
def test_a_step_costs_its_price(quantity, amount):
    assert CONTACTS.amount(Decimal(quantity)) == Fraction(amount)


def test_the_part_is_the_step():
    assert CONTACTS.breakdown(Decimal(1200)) == (
        PricePart(
            quantity=Decimal(1200),
            above=Decimal(500),
            up_to=Decimal(2000),
            flat_price=Decimal(29),
        ),
    )


@given(steps, st.data())
def test_within_a_step_the_price_is_the_same(steps, data):
    index = data.draw(st.integers(0, len(steps) - 1))
    least = Decimal("0.000001")
    lowest = least + (Decimal(0) if index == 0 else steps[index - 1].up_to)
    highest = steps[index].up_to or lowest + 1000
    within = st.decimals(lowest, highest, places=6)
    for quantity in (lowest, data.draw(within), highest):
        assert Stairstep(tiers=steps).amount(quantity) == Fraction(steps[index].flat_price)


@given(prices, quantities)
def test_one_step_is_a_flat_price(price, quantity):
    pricing = Stairstep(tiers=(Step(up_to=None, flat_price=price),))
    assert pricing.amount(quantity) == Flat(price=price).amount(quantity)
