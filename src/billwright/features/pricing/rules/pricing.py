"""What must every pricing model answer?"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

import msgspec

from billwright.features.pricing.errors import pricing_invalid
from billwright.features.pricing.rules.models import PRICING_MODELS
from billwright.features.pricing.rules.parts import PricePart


class Pricing(Protocol):
    """A price definition; amounts are exact, in major units of the price's currency.

    A definition that exists is valid: making one refuses `pricing_invalid`. Quantities need not be
    whole; no units cost nothing in every model, and a negative quantity raises `ValueError`.
    """

    @property
    def model(self) -> str:
        """The model's name, which tells the definitions apart on the wire and in the database."""
        ...

    def amount(self, quantity: Decimal) -> Fraction:
        """What a whole period costs for `quantity` units."""
        ...

    def breakdown(self, quantity: Decimal) -> tuple[PricePart, ...]:
        """The terms of the amount, which sum to exactly it; their quantities sum to the quantity."""
        ...

    def __hash__(self) -> int:
        """Definitions are values: equal ones cost the same."""
        ...


def pricing_of(definition: dict[str, Any]) -> Pricing:
    """The price definition that JSON values describe. Refuses: `pricing_invalid`."""
    model = PRICING_MODELS.get(str(definition.get("model")))
    if model is None:
        raise pricing_invalid(
            pointer="/model",
            reason=f"The pricing model must be one of {', '.join(sorted(PRICING_MODELS))}.",
        )
    try:
        pricing: Pricing = msgspec.convert(definition, model)
    except msgspec.ValidationError as error:
        raise pricing_invalid(pointer="", reason=str(error)) from None
    return pricing
