"""What does a treatment depend on, and what do all tax engines decide alike?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billwright.features.accounts.model import CustomerType
from billwright.features.tax.model import CategoryCode, LegalNote, Treatment, TreatmentKind
from billwright.features.tax.rules.territory import MEMBER_STATES
from billwright.kernel.quick import quickly_made

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


@quickly_made
@dataclass(frozen=True, slots=True)
class BuyerTaxStatus:
    """The buyer's territory, empty when not known; `confirmed_vat_id_country` is the country of a VAT
    id that its register has confirmed.
    """

    country: str
    customer_type: CustomerType
    confirmed_vat_id_country: str | None = None


def category_code(treatment: Treatment, *, rate: Decimal) -> CategoryCode:
    """The EN 16931 code of what one rate is applied to; a taxed supply at zero is Z, not S."""
    if treatment.charges_tax and rate == 0:
        return CategoryCode.ZERO
    return treatment.code


def at_home(seller: SellerTaxStatus, kind: TreatmentKind) -> Treatment:
    """The treatment by the law of the seller's own territory, which knows small businesses."""
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
