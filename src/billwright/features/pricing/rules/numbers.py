"""Which numbers may a price definition hold?"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from billwright.features.pricing.errors import pricing_invalid
from billwright.features.pricing.rules.parts import EXACT

Price = Annotated[Decimal, "price"]
"""In major units, never negative; it may be finer than a minor unit."""

Quantity = Annotated[Decimal, "quantity"]
"""A number of units, never negative; it need not be whole."""


_PRICE_DIGITS = {"whole_digits": 12, "places": 12}
_QUANTITY_DIGITS = {"whole_digits": 14, "places": 6}


def check_price(value: Decimal, *, pointer: str) -> None:
    """Accept a price below 10¹² with at most 12 decimal places. Refuses: `pricing_invalid`."""
    _check(value, **_PRICE_DIGITS, pointer=pointer)


def check_quantity(value: Decimal, *, pointer: str) -> None:
    """Accept a quantity below 10¹⁴ with at most 6 decimal places. Refuses: `pricing_invalid`."""
    _check(value, **_QUANTITY_DIGITS, pointer=pointer)


def is_price(value: Decimal) -> bool:
    """Whether what was computed could have been given as a price; zeros at its end do not count."""
    return _fits(EXACT.normalize(value), **_PRICE_DIGITS)


def _check(value: Decimal, *, whole_digits: int, places: int, pointer: str) -> None:
    if not _fits(value, whole_digits=whole_digits, places=places):
        raise pricing_invalid(
            pointer=pointer,
            reason=f"{pointer} must not be negative, nor have more than {whole_digits} digits "
            f"before or {places} after the point.",
        )


def _fits(value: Decimal, *, whole_digits: int, places: int) -> bool:
    exponent = value.as_tuple().exponent
    # The exponent of what is not finite is a letter.
    return (
        isinstance(exponent, int)
        and value >= 0
        and value.adjusted() < whole_digits
        and -exponent <= places
    )
