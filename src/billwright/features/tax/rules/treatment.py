"""Who owes the tax on a supply, where, and by which rule?

Supplies are services to whom they are billed: to businesses by Article 44 of Directive 2006/112/EC, to
consumers as electronically supplied services by Article 58.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from billwright.features.accounts.model import CustomerType
from billwright.features.tax.model import CategoryCode, LegalNote, Treatment, TreatmentKind
from billwright.features.tax.rules.territory import MEMBER_STATES

_SMALL_BUSINESS_NOTES = {
    "AT": LegalNote.SMALL_BUSINESS_AT,
    "DE": LegalNote.SMALL_BUSINESS_DE,
    "FR": LegalNote.SMALL_BUSINESS_FR,
}


@dataclass(frozen=True, slots=True)
class SellerTaxStatus:
    """The seller's territory, and how it is registered."""

    country: str
    small_business_exempt: bool = False
    oss_registered_since: date | None = None


@dataclass(frozen=True, slots=True)
class BuyerTaxStatus:
    """The buyer's territory, empty when not known; `confirmed_vat_id_country` is the country of a VAT
    id that its register has confirmed.
    """

    country: str
    customer_type: CustomerType
    confirmed_vat_id_country: str | None = None


@lru_cache(maxsize=10_000)
def treatment_of(seller: SellerTaxStatus, buyer: BuyerTaxStatus, *, on: date) -> Treatment:
    """The treatment of what `seller` supplies to `buyer` when the document is issued on that day.

    A buyer of whom no country is known is taxed like one at home, and a business of the union without
    a confirmed VAT id like a consumer (Article 18 of Regulation 282/2011): both err on the side of
    charging.
    """
    home, there = seller.country, buyer.country
    if not home or not there or there == home:
        return _at_home(seller, TreatmentKind.DOMESTIC)
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
            return _at_home(seller, TreatmentKind.EU_B2C_DOMESTIC)
    if home in MEMBER_STATES:
        return Treatment(TreatmentKind.EXPORT, there, CategoryCode.EXPORT, LegalNote.EXPORT)
    return Treatment(
        TreatmentKind.OUTSIDE_SCOPE, there, CategoryCode.OUTSIDE_SCOPE, LegalNote.OUTSIDE_SCOPE
    )


def category_code(treatment: Treatment, *, rate: Decimal) -> CategoryCode:
    """The EN 16931 code of what one rate is applied to; a taxed supply at zero is Z, not S."""
    if treatment.charges_tax and rate == 0:
        return CategoryCode.ZERO
    return treatment.code


def _at_home(seller: SellerTaxStatus, kind: TreatmentKind) -> Treatment:
    if not seller.small_business_exempt:
        return Treatment(kind, seller.country, CategoryCode.STANDARD)
    default = (
        LegalNote.SMALL_BUSINESS_EU if seller.country in MEMBER_STATES else LegalNote.SMALL_BUSINESS
    )
    return Treatment(
        TreatmentKind.SMALL_BUSINESS_EXEMPT,
        seller.country,
        CategoryCode.EXEMPT,
        _SMALL_BUSINESS_NOTES.get(seller.country, default),
    )


def _is_confirmed_business(buyer: BuyerTaxStatus, *, home: str) -> bool:
    """An id of the seller's own state shows no establishment in another one; XI counts for goods only."""
    return (
        buyer.customer_type is CustomerType.BUSINESS
        and buyer.confirmed_vat_id_country in MEMBER_STATES
        and buyer.confirmed_vat_id_country != home
    )


def _uses_one_stop_shop(seller: SellerTaxStatus, *, on: date) -> bool:
    return seller.oss_registered_since is not None and seller.oss_registered_since <= on
