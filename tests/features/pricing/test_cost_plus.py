"""What does a unit cost with a margin on its cost?"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given

from billwright.features.pricing.rules.models.cost_plus import CostPlus
from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.pricing.rules.parts import PricePart
from billwright.features.pricing.rules.unit_price import unit_price
from tests.features.pricing.definitions import prices, quantities

MINUTES = CostPlus(base=Decimal("0.40"), margin_percent=Decimal(25), margin_fixed=Decimal("0.02"))
"""0.40 x 1.25 + 0.02 = 0.50 + 0.02 = 0.52 a minute."""


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        ("0", "0"),
        ("1", "0.52"),
        ("2.5", "1.3"),  # 2.5 x 0.52
        ("12", "6.24"),  # 12 x 0.52
    ],
)
def test_each_unit_costs_its_base_and_the_margins(quantity, amount):
    assert MINUTES.amount(Decimal(quantity)) == Fraction(amount)


def test_the_part_is_all_units_at_one_price():
    assert MINUTES.breakdown(Decimal(12)) == (
        PricePart(quantity=Decimal(12), unit_price=Decimal("0.52")),
    )


def test_a_margin_is_not_rounded():
    # 0.0003 x 1.333 = 0.0003999, and times 1,000,000 that is 399.90.
    fine = CostPlus(base=Decimal("0.0003"), margin_percent=Decimal("33.3"))
    assert fine.amount(Decimal(1_000_000)) == Fraction("399.9")


@given(prices, prices, prices, quantities)
def test_the_definition_is_its_formula(base, percent, fixed, quantity):
    pricing = CostPlus(base=base, margin_percent=percent, margin_fixed=fixed)
    of_one = Fraction(base) * (1 + Fraction(percent) / 100) + Fraction(fixed)
    assert pricing.amount(quantity) == of_one * Fraction(quantity)


@given(prices, quantities)
def test_without_margins_it_is_a_price_per_unit(price, quantity):
    assert CostPlus(base=price).amount(quantity) == PerUnit(price=price).amount(quantity)


@pytest.mark.parametrize(
    ("base", "percent", "shown"),
    [
        ("0.40", "25", "0.50"),
        ("0.0000000001", "50.00", "0.00000000015"),
        ("0.00000000001", "50", "0.000000000015"),  # 12 places: the finest price there is
        ("0.000000000001", "50", None),  # 0.0000000000015 has 13 places
        ("999999999999", "0", "999999999999"),
        ("999999999999", "1", None),  # 1,009,999,999,998.99 has 13 digits before the point
    ],
)
def test_a_document_shows_the_price_of_a_unit_where_it_has_the_digits_of_one(base, percent, shown):
    pricing = CostPlus(base=Decimal(base), margin_percent=Decimal(percent))
    parts = pricing.breakdown(Decimal(3))
    assert unit_price(parts, quantity=Decimal(3)) == (Decimal(shown) if shown else None)
