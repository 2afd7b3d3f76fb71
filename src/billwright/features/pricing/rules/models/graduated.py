"""What does a graduated price cost? Each unit the price of the tier that the unit itself is in."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from billwright.features.pricing.rules.parts import EXACT, PricePart, total
from billwright.features.pricing.rules.tiers import Tier, check_tiers, entered


@dataclass(frozen=True, slots=True, kw_only=True)
class Graduated:
    """Each unit at the unit price of its own tier, and the flat price of every tier entered."""

    model: Literal["graduated"] = "graduated"
    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        check_tiers(self.tiers)

    def amount(self, quantity: Decimal) -> Fraction:
        return total(self.breakdown(quantity))

    def breakdown(self, quantity: Decimal) -> tuple[PricePart, ...]:
        """A part for every tier entered, with the units in it."""
        return tuple(
            PricePart(
                quantity=EXACT.subtract(_end(tier, quantity), begin),
                above=begin,
                up_to=tier.up_to,
                unit_price=tier.unit_price,
                flat_price=tier.flat_price,
            )
            for begin, tier in entered(self.tiers, quantity)
        )


def _end(tier: Tier, quantity: Decimal) -> Decimal:
    """Where the units of a tier end: at its bound, or where the quantity does."""
    return quantity if tier.up_to is None else min(quantity, tier.up_to)
