"""What does a price per unit cost? Each unit the same."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class PerUnit:
    """`price` for each unit and period, in major units; it may be finer than a minor unit."""

    model: Literal["per_unit"] = "per_unit"
    price: Decimal

    def amount(self, quantity: Decimal) -> Fraction:
        """The price times the quantity, exactly."""
        return Fraction(self.price) * Fraction(quantity)

    def unit_price(self) -> Decimal:
        return self.price
