"""What is one rate per category, whoever buys?

For sellers whose country the table of rates does not have. Where the buyer is and whether it is a
business changes nothing, so everything counts as supplied at home.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from billwright.features.tax.errors import tax_rate_unknown
from billwright.features.tax.model import Treatment, TreatmentKind
from billwright.features.tax.rules.tax_engine import TaxEngine
from billwright.features.tax.rules.treatment import BuyerTaxStatus, SellerTaxStatus, at_home


def treatment_of(seller: SellerTaxStatus, buyer: BuyerTaxStatus, *, on: date) -> Treatment:
    """Neither the buyer nor the day changes it."""
    return at_home(seller, TreatmentKind.DOMESTIC)


def rate_of(
    category: str, *, treatment: Treatment, own_rates: Mapping[str, Decimal], on: date
) -> Decimal:
    """The seller's own rate, and no other. Refuses: `tax_rate_unknown`."""
    rate = own_rates.get(category)
    if rate is None:
        raise tax_rate_unknown(country=treatment.country, tax_category=category, on=on)
    return rate


ENGINE = TaxEngine(name="fixed", treatment=treatment_of, rate=rate_of)
