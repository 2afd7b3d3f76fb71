"""What does a part of a period cost, exactly?

The denominator of a share is always the whole period. Nothing is rounded here.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from billwright.features.pricing.rules.parts import EXACT, PricePart, total
from billwright.features.pricing.rules.pricing import Pricing

_QUANTITY_STEP = Decimal("0.000001")
_NO_UNITS = Decimal(0)
_WHOLE = Fraction(1)


def recurring_parts(
    pricing: Pricing, quantity: Decimal, *, free_units: Decimal = _NO_UNITS
) -> tuple[PricePart, ...]:
    """The terms of a whole period's price: the units beyond the free ones are priced."""
    return pricing.breakdown(max(EXACT.subtract(quantity, free_units), _NO_UNITS))


def recurring_price(parts: Sequence[PricePart], *, share: Fraction = _WHOLE) -> Fraction:
    """The exact price, in major units, of a share of the period that the parts price."""
    return total(parts) * share


def usage_parts(
    pricing: Pricing,
    used: Decimal,
    *,
    free_units: Decimal = _NO_UNITS,
    share: Fraction = _WHOLE,
) -> tuple[PricePart, ...]:
    """The terms of the price of what was used in a share of a period.

    Usage is counted, not shared; its free units belong to a whole period and are shared (rounded down
    to the millionth), so that changing plans often does not multiply them. What was used less than
    nothing, by corrections, costs nothing.
    """
    free = Fraction(free_units) * share
    steps = free.numerator * 10**6 // free.denominator
    shared_free = EXACT.multiply(steps, _QUANTITY_STEP)
    return pricing.breakdown(max(EXACT.subtract(used, shared_free), _NO_UNITS))
