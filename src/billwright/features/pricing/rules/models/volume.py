"""What does a volume price cost? All units the price of the tier that their number is in."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from billwright.features.pricing.rules.parts import PricePart, total
from billwright.features.pricing.rules.tiers import Tier, check_tiers, reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """All units at the unit price of the tier that the quantity is in, and that tier's flat price.

    More units may cost less than fewer, where a tier's price falls: that is what volume means.
    """

    model: Literal["volume"] = "volume"
    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        check_tiers(self.tiers)

    def amount(self, quantity: Decimal) -> Fraction:
        return total(self.breakdown(quantity))

    def breakdown(self, quantity: Decimal) -> tuple[PricePart, ...]:
        """One part: all units, with the bounds of the tier that prices them."""
        return tuple(
            PricePart(
                quantity=quantity,
                above=begin,
                up_to=tier.up_to,
                unit_price=tier.unit_price,
                flat_price=tier.flat_price,
            )
            for begin, tier in reached(self.tiers, quantity)
        )
