"""What must every tax engine answer?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from billwright.features.tax.model import Treatment
from billwright.features.tax.rules.treatment import BuyerTaxStatus, SellerTaxStatus


class DecidesTreatment(Protocol):
    def __call__(self, seller: SellerTaxStatus, buyer: BuyerTaxStatus, /, *, on: date) -> Treatment:
        """The treatment of what the seller supplies to the buyer, for documents of that day."""
        ...


class DecidesRate(Protocol):
    def __call__(
        self,
        category: str,
        /,
        *,
        treatment: Treatment,
        own_rates: Mapping[str, Decimal],
        on: date,
    ) -> Decimal:
        """The share that a category is taxed with on a day; asked only where the treatment charges
        tax. `own_rates` are the seller's, by category. Refuses: `tax_rate_unknown`.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxEngine:
    """One law's rules, as pure functions of stored facts and a day. A billing run asks for every
    account and line, so that what is costly to decide is better kept in a cache.

    `name` is what a seller's `tax_engine` says.
    """

    name: str
    treatment: DecidesTreatment
    rate: DecidesRate
