"""What does a part of a period cost, and do the parts add up?"""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.pricing.rules.models.graduated import Graduated
from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.pricing.rules.parts import total
from billwright.features.pricing.rules.service_price import (
    recurring_parts,
    recurring_price,
    usage_parts,
)
from tests.features.pricing.definitions import any_definition, quantities, tier

STEP = Decimal("0.000001")
SEATS = PerUnit(price=Decimal("9.90"))

shares = st.fractions(0, 1, max_denominator=10**7)


def adjoining(cuts: list[Fraction]) -> list[Fraction]:
    """The shares between the cuts of a period."""
    return [end - start for start, end in pairwise([Fraction(0), *sorted(cuts), Fraction(1)])]


def units(parts) -> Decimal:
    return sum((part.quantity for part in parts), Decimal(0))


@pytest.mark.parametrize(
    ("quantity", "free", "amount"),
    [
        ("12", "2", "99"),  # 12 - 2 = 10 seats of 9.90
        ("2", "2", "0"),
        ("1", "2", "0"),  # fewer than are free are not given back
        ("2.5", "2", "4.95"),  # half a seat
    ],
)
def test_units_beyond_the_free_ones_are_priced(quantity, free, amount):
    parts = recurring_parts(SEATS, Decimal(quantity), free_units=Decimal(free))
    assert recurring_price(parts) == Fraction(amount)


def test_free_units_are_taken_off_before_the_tiers():
    # 12 - 2 = 10 units are all in the first tier: 10 x 9.00 = 90.00.
    tiers = Graduated(tiers=(tier("10", "9"), tier(None, "7")))
    parts = recurring_parts(tiers, Decimal(12), free_units=Decimal(2))
    assert recurring_price(parts) == 90


def test_a_share_is_of_the_price_and_not_of_the_quantity():
    # 20 units: 10 x 9.00 + 10 x 7.00 = 160.00; a quarter of the period is 40.00, while a quarter of
    # the units would be 5 x 9.00 = 45.00.
    tiers = Graduated(tiers=(tier("10", "9"), tier(None, "7")))
    assert recurring_price(recurring_parts(tiers, Decimal(20)), share=Fraction(1, 4)) == 40


@pytest.mark.parametrize(
    ("used", "share", "priced"),
    [
        ("1500", Fraction(1), "500"),  # 1,000 of them are free
        ("1500", Fraction(1, 2), "1000"),  # half of the period has 500 free ones
        ("400", Fraction(1, 2), "0"),
        ("1000", Fraction(1, 3), "666.666667"),  # 333.333333 are free
        ("-3", Fraction(1), "0"),  # corrections took back more than was used
    ],
)
def test_what_was_used_is_counted_and_its_free_units_are_shared(used, share, priced):
    calls = PerUnit(price=Decimal(1))
    parts = usage_parts(calls, Decimal(used), free_units=Decimal(1000), share=share)
    assert units(parts) == Decimal(priced)


@given(any_definition, quantities, quantities, st.lists(shares, max_size=5))
def test_adjoining_shares_cost_what_the_whole_costs(pricing, quantity, free, cuts):
    parts = recurring_parts(pricing, quantity, free_units=free)
    prices = [recurring_price(parts, share=share) for share in adjoining(cuts)]
    assert sum(prices) == recurring_price(parts)
    assert all(price >= 0 for price in prices)


@given(st.decimals(-(10**6), 10**6, places=6), quantities, st.lists(shares, max_size=5))
def test_changes_do_not_multiply_free_usage(used, free, cuts):
    """However a period is cut, no more is free than in the whole, and less by a step a cut at most."""
    plenty = Decimal(10**9)
    calls = PerUnit(price=Decimal(1))
    given_away = [
        plenty - units(usage_parts(calls, plenty, free_units=free, share=share))
        for share in adjoining(cuts)
    ]
    assert free - STEP * len(given_away) <= sum(given_away) <= free
    assert min(given_away) >= 0
    assert total(usage_parts(calls, used, free_units=free)) == max(used - free, 0)


@given(any_definition, quantities, quantities, shares)
def test_the_decimal_context_plays_no_part(pricing, quantity, free, share):
    recurring = recurring_parts(pricing, quantity, free_units=free)
    used = usage_parts(pricing, quantity, free_units=free, share=share)
    with localcontext(prec=3):
        assert recurring_parts(pricing, quantity, free_units=free) == recurring
        assert usage_parts(pricing, quantity, free_units=free, share=share) == used
