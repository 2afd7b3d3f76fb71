"""What do the pricing models cost, exactly?"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.pricing.rules.models import PRICING_MODELS
from billwright.features.pricing.rules.models.flat import Flat
from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.pricing.rules.pricing import pricing_of
from billwright.kernel.currency import currency_of
from billwright.kernel.money import round_to_minor
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.json import from_json, to_json

prices = st.decimals(0, 10**9, places=9)
quantities = st.decimals(0, 10**6, places=6)


@given(prices, quantities.filter(bool))
def test_a_flat_price_is_the_same_for_every_quantity(price, quantity):
    assert Flat(price=price).amount(quantity) == Fraction(price)


@given(prices)
def test_nothing_costs_nothing(price):
    for model in PRICING_MODELS.values():
        assert model(price=price).amount(Decimal(0)) == 0


@given(prices, quantities, quantities)
def test_units_cost_the_same_together_and_apart(price, some, more):
    pricing = PerUnit(price=price)
    together = pricing.amount(Decimal(Fraction(some + more).limit_denominator(10**6)))
    assert pricing.amount(some) + pricing.amount(more) == pricing.amount(some + more)
    assert together == Fraction(price) * Fraction(some + more)


@given(prices, quantities, quantities)
def test_more_units_never_cost_less(price, some, more):
    fewer, many = sorted((some, more))
    for model in PRICING_MODELS.values():
        assert model(price=price).amount(fewer) <= model(price=price).amount(many)


@given(st.sampled_from(sorted(PRICING_MODELS)), prices)
def test_a_definition_survives_the_database(name, price):
    pricing = PRICING_MODELS[name](price=price)
    assert pricing_of(from_json(to_json(pricing))) == pricing
    assert pricing.model == name


def test_a_price_may_be_finer_than_a_minor_unit():
    # 0.0007 EUR x 12,345 = 8.6415 EUR, so 8.64 once rounded; rounded per unit it would be nothing.
    amount = PerUnit(price=Decimal("0.0007")).amount(Decimal(12345))
    assert round_to_minor(amount, currency=currency_of("EUR")).amount_minor == 864


@pytest.mark.parametrize(
    "definition",
    [
        {},
        {"model": "tiered", "price": "1"},
        {"model": "flat"},
        {"model": "flat", "price": "one"},
        {"model": "flat", "price": None},
        {"model": "per_unit", "price": []},
    ],
)
def test_what_is_no_price_is_refused(definition):
    with pytest.raises(Refusal) as refused:
        pricing_of(definition)
    assert refused.value.code == "pricing_invalid"
