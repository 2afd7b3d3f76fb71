"""Which tiers does a quantity enter?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from billwright.features.pricing.errors import pricing_invalid
from billwright.features.pricing.rules.numbers import Price, Quantity, check_price, check_quantity
from billwright.kernel.refusal import Refusal

_MOST_TIERS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A price per unit up to and including `up_to` units; null is without end.

    `flat_price` is owed once as soon as the tier prices anything.
    """

    up_to: Quantity | None
    unit_price: Price
    flat_price: Price = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One price for any quantity up to and including `up_to` units; null is without end."""

    up_to: Quantity | None
    flat_price: Price


AnyTier = TypeVar("AnyTier", Tier, Step)


def check_tiers(tiers: Sequence[Tier | Step]) -> None:
    """Accept 1 to 100 tiers that leave no quantity out: each reaches further than the one before,
    and the last one alone has no end. Refuses: `pricing_invalid`.
    """
    if not 1 <= len(tiers) <= _MOST_TIERS:
        raise pricing_invalid(
            pointer="/tiers", reason=f"/tiers must have between 1 and {_MOST_TIERS} members."
        )
    begin = Decimal(0)
    for index, tier in enumerate(tiers):
        pointer = f"/tiers/{index}"
        check_price(tier.flat_price, pointer=f"{pointer}/flat_price")
        if isinstance(tier, Tier):
            check_price(tier.unit_price, pointer=f"{pointer}/unit_price")
        if index == len(tiers) - 1:
            if tier.up_to is not None:
                raise _bound_invalid(index, problem="must be null, because no tier follows")
        elif tier.up_to is None:
            raise _bound_invalid(index, problem="must not be null, because a tier follows")
        else:
            check_quantity(tier.up_to, pointer=f"{pointer}/up_to")
            if tier.up_to <= begin:
                raise _bound_invalid(index, problem=f"must be greater than {begin:f}")
            begin = tier.up_to


def _bound_invalid(index: int, *, problem: str) -> Refusal:
    pointer = f"/tiers/{index}/up_to"
    return pricing_invalid(pointer=pointer, reason=f"{pointer} {problem}.")


def entered(tiers: Sequence[AnyTier], quantity: Decimal) -> Iterator[tuple[Decimal, AnyTier]]:
    """The tiers that the quantity reaches into, each with the bound above which it begins.

    Nothing enters no tier; a quantity that ends exactly on a bound does not enter the next one.
    """
    if not quantity:
        return
    begin = Decimal(0)
    for tier in tiers:
        yield begin, tier
        if tier.up_to is None or quantity <= tier.up_to:
            return
        begin = tier.up_to


def reached(tiers: Sequence[AnyTier], quantity: Decimal) -> tuple[tuple[Decimal, AnyTier], ...]:
    """The one tier that the quantity falls in, with the bound above which it begins; none for nothing."""
    return tuple(entered(tiers, quantity))[-1:]
