"""Is there one price of a unit that a document can show beside the quantity?"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from billwright.features.pricing.rules.numbers import is_price
from billwright.features.pricing.rules.parts import PricePart


def unit_price(parts: Sequence[PricePart], *, quantity: Decimal) -> Decimal | None:
    """The price that times the quantity makes the amount of these parts; none where no single one
    does, as with several tiers, packages, or a flat price for more than one unit, and none where it has
    more digits than a price may have.
    """
    if len(parts) != 1:
        return None
    part = parts[0]
    if part.unit_price and not part.flat_price:
        showable = part.times == quantity and is_price(part.unit_price)
        return part.unit_price if showable else None
    return part.flat_price if quantity == 1 and not part.unit_price else None
