"""What does a price per unit cost? Each unit the same."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from billwright.features.pricing.rules.numbers import Price, check_price
from billwright.features.pricing.rules.parts import PricePart, total


@dataclass(frozen=True, slots=True, kw_only=True)
class PerUnit:
    """`price` for each unit and period, in major units; it may be finer than a minor unit."""

    model: Literal["per_unit"] = "per_unit"
    price: Price

    def __post_init__(self) -> None:
        check_price(self.price, pointer="/price")

    def amount(self, quantity: Decimal) -> Fraction:
        return total(self.breakdown(quantity))

    def breakdown(self, quantity: Decimal) -> tuple[PricePart, ...]:
        return (PricePart(quantity=quantity, unit_price=self.price),) if quantity else ()
