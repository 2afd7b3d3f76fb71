"""What does a stairstep price cost? One price for the step that the quantity is in."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from billwright.features.pricing.rules.parts import PricePart, total
from billwright.features.pricing.rules.tiers import Step, check_tiers, reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Stairstep:
    """The flat price of the step that the quantity is in, whatever the quantity within it."""

    model: Literal["stairstep"] = "stairstep"
    tiers: tuple[Step, ...]

    def __post_init__(self) -> None:
        check_tiers(self.tiers)

    def amount(self, quantity: Decimal) -> Fraction:
        return total(self.breakdown(quantity))

    def breakdown(self, quantity: Decimal) -> tuple[PricePart, ...]:
        """One part: all units, with the bounds of the step that prices them."""
        return tuple(
            PricePart(quantity=quantity, above=begin, up_to=step.up_to, flat_price=step.flat_price)
            for begin, step in reached(self.tiers, quantity)
        )
