"""Which rate does a category have?"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from billwright.features.tax.errors import tax_category_unknown


def rate_for(category: str, *, rates: Mapping[str, Decimal]) -> Decimal:
    """The seller's domestic rate as a share (0.19 is 19 %). Refuses: `tax_category_unknown`."""
    rate = rates.get(category)
    if rate is None:
        raise tax_category_unknown(category=category)
    return rate
