"""What is an amount made of?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from math import ceil

EXACT = Context(prec=100, traps=[Inexact])
"""To reckon with quantities: one that is too wide to stay exact raises instead of being rounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePart:
    """One term of an amount, with what an explanation of it says. Prices are in major units.

    The part prices `quantity` units. `above` and `up_to` are the bounds of the tier that sets its
    prices, the lower one exclusive and the upper one inclusive; the upper one is absent where there
    is no end. Where there is a `package_size`, the `unit_price` is owed for each started package.
    """

    quantity: Decimal
    above: Decimal = Decimal(0)
    up_to: Decimal | None = None
    package_size: Decimal | None = None
    unit_price: Decimal | None = None
    flat_price: Decimal | None = None

    def __post_init__(self) -> None:
        if self.quantity <= 0:
            raise ValueError(f"{self.quantity} units cannot be priced")

    @property
    def times(self) -> Fraction:
        """How often the unit price is owed: the units, or the packages that they start."""
        if self.package_size is None:
            return Fraction(self.quantity)
        return Fraction(ceil(Fraction(self.quantity) / Fraction(self.package_size)))

    @property
    def amount(self) -> Fraction:
        amount = Fraction(self.flat_price or 0)
        return amount + self.times * Fraction(self.unit_price) if self.unit_price else amount


def total(parts: Iterable[PricePart]) -> Fraction:
    """What the parts cost together, exactly."""
    return sum((part.amount for part in parts), Fraction(0))
