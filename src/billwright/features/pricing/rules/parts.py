"""What is an amount made of?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from fractions import Fraction

EXACT = Context(prec=100, traps=[Inexact])
"""To reckon with quantities: one that is too wide to stay exact raises instead of being rounded."""
_NOTHING = Decimal(0)


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
    def times(self) -> Decimal:
        """How often the unit price is owed: the units, or the packages that they start."""
        if self.package_size is None:
            return self.quantity
        packages, rest = EXACT.divmod(self.quantity, self.package_size)
        return packages + 1 if rest else packages

    @property
    def amount(self) -> Fraction:
        return Fraction(self.exact_amount)

    @property
    def exact_amount(self) -> Decimal:
        """The amount; to be reckoned with in the `EXACT` context only. Decimals are many times quicker
        than fractions, and nothing is divided here.
        """
        flat = self.flat_price or _NOTHING
        return EXACT.fma(self.times, self.unit_price, flat) if self.unit_price else flat


def total(parts: Iterable[PricePart]) -> Fraction:
    """What the parts cost together, exactly."""
    return Fraction(exact_total(parts))


def exact_total(parts: Iterable[PricePart]) -> Decimal:
    """The total, to be rounded or to be reckoned with in the `EXACT` context."""
    amount = _NOTHING
    for part in parts:
        amount = EXACT.add(amount, part.exact_amount)
    return amount
