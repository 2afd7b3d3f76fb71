"""What does a price per package cost? Each started package the same."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from billwright.features.pricing.errors import pricing_invalid
from billwright.features.pricing.rules.numbers import Price, Quantity, check_price, check_quantity
from billwright.features.pricing.rules.parts import EXACT, PricePart, total


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """`price` for each started package of `package_size` units, in major units.

    The first `free_units` cost nothing and start no package.
    """

    model: Literal["package"] = "package"
    price: Price
    package_size: Quantity
    free_units: Quantity = Decimal(0)

    def __post_init__(self) -> None:
        check_price(self.price, pointer="/price")
        check_quantity(self.package_size, pointer="/package_size")
        check_quantity(self.free_units, pointer="/free_units")
        if not self.package_size:
            raise pricing_invalid(
                pointer="/package_size", reason="/package_size must be greater than 0."
            )

    def amount(self, quantity: Decimal) -> Fraction:
        return total(self.breakdown(quantity))

    def breakdown(self, quantity: Decimal) -> tuple[PricePart, ...]:
        """What is free and what is not, where there is any of it."""
        parts = []
        free = min(quantity, self.free_units)
        if free:
            parts.append(PricePart(quantity=free, up_to=self.free_units, unit_price=Decimal(0)))
        if owed := EXACT.subtract(quantity, free):
            parts.append(
                PricePart(
                    quantity=owed,
                    above=self.free_units,
                    package_size=self.package_size,
                    unit_price=self.price,
                )
            )
        return tuple(parts)
