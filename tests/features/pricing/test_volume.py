"""What do all units cost at the price of the tier that their number is in?"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given

from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.pricing.rules.models.volume import Volume
from billwright.features.pricing.rules.parts import PricePart
from billwright.features.pricing.rules.tiers import Tier
from tests.features.pricing.definitions import positive_quantities, prices, quantities, tier, tiers

SEATS = Volume(tiers=(tier("10", "9"), tier("50", "7", "3"), tier(None, "5")))
"""9.00 each up to 10 seats; 7.00 each and 3.00 once up to 50; 5.00 each for more."""


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        ("0", "0"),
        ("10", "90"),  # 10 x 9.00: the bound is in the tier that it ends
        ("10.5", "76.5"),  # 10.5 x 7.00 + 3.00 = 73.50 + 3.00
        ("11", "80"),  # 11 x 7.00 + 3.00, which is less than 10 seats cost
        ("50", "353"),  # 50 x 7.00 + 3.00
        ("51", "255"),  # 51 x 5.00
    ],
)
def test_all_units_cost_what_the_tier_of_their_number_says(quantity, amount):
    assert SEATS.amount(Decimal(quantity)) == Fraction(amount)


def test_the_part_is_the_tier_with_all_units():
    assert SEATS.breakdown(Decimal(12)) == (
        PricePart(
            quantity=Decimal(12),
            above=Decimal(10),
            up_to=Decimal(50),
            unit_price=Decimal(7),
            flat_price=Decimal(3),
        ),
    )


@given(prices, quantities)
def test_one_tier_is_a_price_per_unit(price, quantity):
    pricing = Volume(tiers=(Tier(up_to=None, unit_price=price),))
    assert pricing.amount(quantity) == PerUnit(price=price).amount(quantity)


@given(tiers, positive_quantities)
def test_the_first_tier_that_reaches_the_quantity_prices_it(tiers, quantity):
    first = next(each for each in tiers if each.up_to is None or each.up_to >= quantity)
    expected = PerUnit(price=first.unit_price).amount(quantity) + Fraction(first.flat_price)
    assert Volume(tiers=tiers).amount(quantity) == expected
