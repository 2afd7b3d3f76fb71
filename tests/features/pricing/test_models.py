"""What do the pricing models cost, exactly?"""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.pricing.rules.models import PRICING_MODELS
from billwright.features.pricing.rules.models.flat import Flat
from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.pricing.rules.parts import PricePart
from billwright.features.pricing.rules.pricing import pricing_of
from billwright.features.pricing.rules.unit_price import unit_price
from billwright.kernel.currency import currency_of
from billwright.kernel.money import round_to_minor
from billwright.runtime.db.json import from_json, to_json
from tests.features.pricing.definitions import (
    DEFINITIONS,
    any_definition,
    positive_quantities,
    prices,
    quantities,
)


def test_every_model_is_tested():
    assert DEFINITIONS.keys() == PRICING_MODELS.keys()


@given(prices, positive_quantities)
def test_a_flat_price_is_the_same_for_every_quantity(price, quantity):
    assert Flat(price=price).amount(quantity) == Fraction(price)


@given(any_definition)
def test_nothing_costs_nothing(pricing):
    assert pricing.amount(Decimal(0)) == 0
    assert pricing.breakdown(Decimal("0.000")) == ()


@given(any_definition, positive_quantities)
def test_less_than_nothing_has_no_price(pricing, quantity):
    with pytest.raises(ValueError, match="cannot be priced"):
        pricing.amount(-quantity)


@given(prices, quantities, quantities)
def test_units_cost_the_same_together_and_apart(price, some, more):
    pricing = PerUnit(price=price)
    assert pricing.amount(some) + pricing.amount(more) == pricing.amount(some + more)


@given(
    st.one_of(
        DEFINITIONS[name] for name in ("flat", "per_unit", "package", "graduated", "cost_plus")
    ),
    quantities,
    quantities,
)
def test_more_units_never_cost_less(pricing, some, more):
    fewer, many = sorted((some, more))
    assert pricing.amount(fewer) <= pricing.amount(many)


@given(any_definition, quantities)
def test_the_parts_sum_to_the_amount_and_to_the_quantity(pricing, quantity):
    parts = pricing.breakdown(quantity)
    assert sum((part.amount for part in parts), Fraction(0)) == pricing.amount(quantity)
    assert sum((part.quantity for part in parts), Decimal(0)) == quantity
    for part in parts:
        unit_price = Fraction(part.unit_price or 0)
        assert part.amount == Fraction(part.times) * unit_price + Fraction(part.flat_price or 0)
        assert part.up_to is None or part.above < part.up_to


@given(any_definition, quantities)
def test_the_decimal_context_plays_no_part(pricing, quantity):
    expected = pricing.breakdown(quantity)
    with localcontext(prec=3):
        assert pricing.breakdown(quantity) == expected
        assert sum(part.amount for part in expected) == pricing.amount(quantity)


@given(any_definition, quantities)
def test_where_a_document_shows_a_unit_price_it_times_the_quantity_is_the_amount(pricing, quantity):
    shown = unit_price(pricing.breakdown(quantity), quantity=quantity)
    if shown is not None:
        assert pricing.amount(quantity) == Fraction(shown) * Fraction(quantity)


@given(st.sampled_from(sorted(DEFINITIONS)), st.data())
def test_a_definition_survives_the_database(name, data):
    pricing = data.draw(DEFINITIONS[name])
    stored = pricing_of(from_json(to_json(pricing)))
    assert stored == pricing
    assert hash(stored) == hash(pricing)
    assert pricing.model == name


def test_a_price_may_be_finer_than_a_minor_unit():
    # 0.0007 EUR x 12,345 = 8.6415 EUR, so 8.64 once rounded; rounded per unit it would be nothing.
    amount = PerUnit(price=Decimal("0.0007")).amount(Decimal(12345))
    assert round_to_minor(amount, currency=currency_of("EUR")).amount_minor == 864


def test_a_part_says_what_it_prices():
    assert Flat(price=Decimal(29)).breakdown(Decimal(3)) == (
        PricePart(quantity=Decimal(3), flat_price=Decimal(29)),
    )
    assert PerUnit(price=Decimal("9.90")).breakdown(Decimal("2.5")) == (
        PricePart(quantity=Decimal("2.5"), unit_price=Decimal("9.90")),
    )
