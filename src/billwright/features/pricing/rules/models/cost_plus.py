"""What does a cost-plus price cost? Each unit what it costs the seller, and a margin."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from billwright.features.pricing.rules.numbers import Price, check_price
from billwright.features.pricing.rules.parts import EXACT, PricePart, total


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPlus:
    """For each unit and period the `base`, in major units, more by `margin_percent` of it and by
    `margin_fixed`.
    """

    model: Literal["cost_plus"] = "cost_plus"
    base: Price
    margin_percent: Price = Decimal(0)
    margin_fixed: Price = Decimal(0)

    def __post_init__(self) -> None:
        check_price(self.base, pointer="/base")
        check_price(self.margin_percent, pointer="/margin_percent")
        check_price(self.margin_fixed, pointer="/margin_fixed")

    def amount(self, quantity: Decimal) -> Fraction:
        return total(self.breakdown(quantity))

    def breakdown(self, quantity: Decimal) -> tuple[PricePart, ...]:
        """One part: all units at the price that the base and the margins make."""
        return (PricePart(quantity=quantity, unit_price=self._unit_price),) if quantity else ()

    @property
    def _unit_price(self) -> Decimal:
        """Exact, so that it may be finer than a price that is given."""
        factor = EXACT.add(1, EXACT.scaleb(self.margin_percent, -2))
        return EXACT.add(EXACT.multiply(self.base, factor), self.margin_fixed)
