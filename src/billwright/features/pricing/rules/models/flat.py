"""What does a flat price cost? The same, whatever the quantity."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat:
    """`price` for the whole period, in major units."""

    model: Literal["flat"] = "flat"
    price: Decimal

    def amount(self, quantity: Decimal) -> Fraction:
        """The price; nothing when there is no unit at all."""
        return Fraction(self.price) if quantity else Fraction(0)

    def unit_price(self) -> Decimal:
        return self.price
