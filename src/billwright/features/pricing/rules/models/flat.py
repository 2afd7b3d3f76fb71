"""What does a flat price cost? The same, whatever the quantity."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from billwright.features.pricing.rules.numbers import Price, check_price
from billwright.features.pricing.rules.parts import PricePart, total


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat:
    """`price` for the whole period, in major units; nothing when there is no unit at all."""

    model: Literal["flat"] = "flat"
    price: Price

    def __post_init__(self) -> None:
        check_price(self.price, pointer="/price")

    def amount(self, quantity: Decimal) -> Fraction:
        return total(self.breakdown(quantity))

    def breakdown(self, quantity: Decimal) -> tuple[PricePart, ...]:
        return (PricePart(quantity=quantity, flat_price=self.price),) if quantity else ()
