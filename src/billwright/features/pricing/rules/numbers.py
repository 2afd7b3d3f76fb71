"""Which numbers may a price definition hold?"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from billwright.features.pricing.errors import pricing_invalid

Price = Annotated[Decimal, "price"]
"""In major units, never negative; it may be finer than a minor unit."""

Quantity = Annotated[Decimal, "quantity"]
"""A number of units, never negative; it need not be whole."""


def check_price(value: Decimal, *, pointer: str) -> None:
    """Accept a price below 10¹² with at most 12 decimal places. Refuses: `pricing_invalid`."""
    _check(value, whole_digits=12, places=12, pointer=pointer)


def check_quantity(value: Decimal, *, pointer: str) -> None:
    """Accept a quantity below 10¹⁴ with at most 6 decimal places. Refuses: `pricing_invalid`."""
    _check(value, whole_digits=14, places=6, pointer=pointer)


def _check(value: Decimal, *, whole_digits: int, places: int, pointer: str) -> None:
    exponent = value.as_tuple().exponent
    # The exponent of what is not finite is a letter.
    if (
        not isinstance(exponent, int)
        or value < 0
        or value.adjusted() >= whole_digits
        or -exponent > places
    ):
        raise pricing_invalid(
            pointer=pointer,
            reason=f"{pointer} must not be negative, nor have more than {whole_digits} digits "
            f"before or {places} after the point.",
        )
