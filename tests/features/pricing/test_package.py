"""What does a started package cost?"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given

from billwright.features.pricing.rules.models.package import Package
from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.pricing.rules.parts import PricePart
from tests.features.pricing.definitions import (
    positive_quantities,
    prices,
    quantities,
    whole_quantities,
)

MESSAGES = Package(price=Decimal(5), package_size=Decimal(1000), free_units=Decimal(100))
"""5.00 for every 1,000 messages after the first 100."""


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        ("0", "0"),
        ("100", "0"),  # all of it is free
        ("100.000001", "5"),  # the least there is starts a package
        ("101", "5"),
        ("1100", "5"),  # 1,100 - 100 = 1,000 fill one package and start no second
        ("1101", "10"),  # 1,001 = 1,000 + 1, so two packages
        ("5600", "30"),  # 5,600 - 100 = 5,500 start 6 packages, 6 x 5.00 = 30.00
    ],
)
def test_each_started_package_costs_the_same(quantity, amount):
    assert MESSAGES.amount(Decimal(quantity)) == Fraction(amount)


def test_the_parts_are_what_is_free_and_what_is_not():
    free, owed = MESSAGES.breakdown(Decimal(5600))
    assert free == PricePart(quantity=Decimal(100), up_to=Decimal(100), unit_price=Decimal(0))
    assert owed == PricePart(
        quantity=Decimal(5500),
        above=Decimal(100),
        package_size=Decimal(1000),
        unit_price=Decimal(5),
    )
    assert (free.amount, owed.times, owed.amount) == (0, 6, 30)


def test_a_package_may_hold_a_part_of_a_unit():
    # 1 hour in packages of a quarter of an hour: 1 / 0.25 = 4; 1.1 / 0.25 = 4.4 starts a fifth.
    quarters = Package(price=Decimal(20), package_size=Decimal("0.25"))
    assert quarters.amount(Decimal(1)) == 80
    assert quarters.amount(Decimal("1.1")) == 100


@given(prices, whole_quantities)
def test_packages_of_one_cost_whole_units_alone(price, quantity):
    pricing = Package(price=price, package_size=Decimal(1))
    assert pricing.amount(quantity) == PerUnit(price=price).amount(quantity)


@given(prices, positive_quantities, quantities, quantities)
def test_free_units_are_as_if_they_were_not_there(price, size, free, quantity):
    generous = Package(price=price, package_size=size, free_units=free)
    plain = Package(price=price, package_size=size)
    assert generous.amount(quantity + free) == plain.amount(quantity)


@given(prices, positive_quantities, quantities)
def test_what_is_paid_covers_what_is_used_with_less_than_a_package_left(price, size, quantity):
    pricing = Package(price=price, package_size=size)
    packages = sum(Fraction(part.times) for part in pricing.breakdown(quantity))
    assert quantity <= packages * Fraction(size) < Fraction(quantity) + Fraction(size)
    assert pricing.amount(quantity) == packages * Fraction(price)
