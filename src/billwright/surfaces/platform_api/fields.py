"""Which values does the platform API write in a form of its own?

Bounds are those of the columns that keep the value, so that nothing is rounded on its way there.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from billwright.kernel.calendar import require_zone
from billwright.kernel.currency import Currency, currency_of
from billwright.kernel.refusal import Refusal
from billwright.surfaces.web.wire import CurrencyCode, DecimalText

Value = TypeVar("Value")

LARGEST_COUNT = 2_147_483_647
"""What columns for counts and versions can keep."""

_QUANTITY = r"^(0|[1-9][0-9]{0,13})(\.[0-9]{1,6})?$"
_PRICE = r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,12})?$"


def accepted_by(check: Callable[[Value], object]) -> AfterValidator:
    """The kernel's refusal of a value as a problem of its member, so that the answer names it."""

    def validate(value: Value) -> Value:
        try:
            check(value)
        except Refusal as refusal:
            facts = {"detail": refusal.detail}
            raise PydanticCustomError(refusal.code, "{detail}", facts) from None
        return value

    return AfterValidator(validate)


def plain(number: Decimal) -> str:
    """A number without zeros that say nothing: `3.000000` is `3`."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def price_text(price: Decimal, currency: Currency) -> str:
    """A price with at least the decimal places of its currency: `29.000000` EUR is `29.00`."""
    whole, _, places = plain(price).partition(".")
    places = places.ljust(currency.exponent, "0")
    return f"{whole}.{places}" if places else whole


def _of_at_most(*, whole_digits: int, places: int) -> AfterValidator:
    def validate(value: Decimal) -> Decimal:
        exponent = value.as_tuple().exponent
        assert isinstance(exponent, int)  # noqa: S101 - decimal text is a finite number
        if value < 0 or value >= 10**whole_digits or -exponent > places:
            raise PydanticCustomError(
                "out_of_range",
                "Must not be negative, nor have more than {whole_digits} digits before or {places} "
                "after the point",
                {"whole_digits": whole_digits, "places": places},
            )
        return value

    return AfterValidator(validate)


Quantity = Annotated[
    DecimalText,
    _of_at_most(whole_digits=14, places=6),
    PlainSerializer(plain, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _QUANTITY, "examples": ["3", "0.5"]}),
]
"""A number of units, never negative."""

Price = Annotated[
    DecimalText,
    _of_at_most(whole_digits=12, places=12),
    WithJsonSchema({"type": "string", "pattern": _PRICE, "examples": ["9.90", "0.0125"]}),
]
"""A price in major units, never negative; it may be finer than the currency's smallest unit."""

Share = Annotated[
    Decimal,
    PlainSerializer(plain, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["0.19"]}),
]
"""A rate as a share: 0.19 is 19 %."""

KnownCurrency = Annotated[CurrencyCode, accepted_by(currency_of), Field(examples=["EUR"])]

Zone = Annotated[
    str,
    StringConstraints(max_length=64),
    accepted_by(require_zone),
    Field(examples=["Europe/Berlin"]),
]
"""A time zone by its IANA name."""

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), Field(examples=["DE"])]
"""A country by its ISO 3166-1 alpha-2 code."""

Locale = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$"),
    Field(examples=["de", "en-GB"]),
]
"""A language tag (BCP 47)."""

Email = Annotated[
    str,
    StringConstraints(max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$"),
    Field(examples=["billing@riverbank.example"]),
]
