"""How does the value added tax of Europe treat a supply?

Supplies are services to whom they are billed: to businesses by Article 44 of Directive 2006/112/EC, to
consumers as electronically supplied services by Article 58.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache

from billwright.features.accounts.model import CustomerType
from billwright.features.tax.model import CategoryCode, LegalNote, Treatment, TreatmentKind
from billwright.features.tax.rules.rate_table import rate_on, rates_on
from billwright.features.tax.rules.tax_engine import TaxEngine
from billwright.features.tax.rules.territory import MEMBER_STATES
from billwright.features.tax.rules.treatment import BuyerTaxStatus, SellerTaxStatus, at_home

STANDARD = "standard"


@lru_cache(maxsize=10_000)
def treatment_of(seller: SellerTaxStatus, buyer: BuyerTaxStatus, *, on: date) -> Treatment:
    """The treatment of what `seller` supplies to `buyer` when the document is issued on that day.

    A buyer of whom no country is known is taxed like one at home, and a business of the union without
    a confirmed VAT id like a consumer (Article 18 of Regulation 282/2011): both err on the side of
    charging.
    """
    home, there = seller.country, buyer.country
    if not home or not there or there == home:
        return at_home(seller, TreatmentKind.DOMESTIC)
    if there in MEMBER_STATES:
        if home in MEMBER_STATES and _is_confirmed_business(buyer, home=home):
            return Treatment(
                TreatmentKind.EU_REVERSE_CHARGE,
                there,
                CategoryCode.REVERSE_CHARGE,
                LegalNote.REVERSE_CHARGE,
            )
        if _uses_one_stop_shop(seller, on=on) and not _is_confirmed_business(buyer, home=home):
            return Treatment(
                TreatmentKind.EU_B2C_OSS, there, CategoryCode.STANDARD, LegalNote.ONE_STOP_SHOP
            )
        if home in MEMBER_STATES:
            return at_home(seller, TreatmentKind.EU_B2C_DOMESTIC)
    if home in MEMBER_STATES:
        return Treatment(TreatmentKind.EXPORT, there, CategoryCode.EXPORT, LegalNote.EXPORT)
    return Treatment(
        TreatmentKind.OUTSIDE_SCOPE, there, CategoryCode.OUTSIDE_SCOPE, LegalNote.OUTSIDE_SCOPE
    )


def rate_of(
    category: str, *, treatment: Treatment, own_rates: Mapping[str, Decimal], on: date
) -> Decimal:
    """At home the seller's own rates come before the table's. In another country a category that its
    law does not have, such as a reduced rate in Denmark, has the standard rate. Refuses:
    `tax_rate_unknown`.
    """
    country = treatment.country
    if treatment.kind is TreatmentKind.EU_B2C_OSS:
        rates = rates_on(country, on)
        return rates[category] if category in rates else rate_on(country, category=STANDARD, on=on)
    own = own_rates.get(category)
    return rate_on(country, category=category, on=on) if own is None else own


def _is_confirmed_business(buyer: BuyerTaxStatus, *, home: str) -> bool:
    """An id of the seller's own state shows no establishment in another one; XI counts for goods only."""
    return (
        buyer.customer_type is CustomerType.BUSINESS
        and buyer.confirmed_vat_id_country in MEMBER_STATES
        and buyer.confirmed_vat_id_country != home
    )


def _uses_one_stop_shop(seller: SellerTaxStatus, *, on: date) -> bool:
    return seller.oss_registered_since is not None and seller.oss_registered_since <= on


ENGINE = TaxEngine(name="vat", treatment=treatment_of, rate=rate_of)
