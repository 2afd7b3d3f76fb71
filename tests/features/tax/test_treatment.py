"""Who owes the tax, where, and by which rule?"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.accounts.model import CustomerType
from billwright.features.tax.model import CategoryCode, LegalNote, TreatmentKind
from billwright.features.tax.rules.engines.vat import treatment_of
from billwright.features.tax.rules.territory import MEMBER_STATES
from billwright.features.tax.rules.treatment import (
    BuyerTaxStatus,
    SellerTaxStatus,
    category_code,
)

TODAY = date(2026, 1, 15)
LATER = date(2026, 1, 16)
BUSINESS, CONSUMER = CustomerType.BUSINESS, CustomerType.CONSUMER

GERMAN = SellerTaxStatus("DE")
GERMAN_OSS = SellerTaxStatus("DE", oss_registered_since=TODAY)
GERMAN_OSS_LATER = SellerTaxStatus("DE", oss_registered_since=LATER)
GERMAN_SMALL = SellerTaxStatus("DE", small_business_exempt=True)
BRITISH = SellerTaxStatus("GB")
BRITISH_OSS = SellerTaxStatus("GB", oss_registered_since=TODAY)


def confirmed(country: str, id_country: str) -> BuyerTaxStatus:
    return BuyerTaxStatus(country, BUSINESS, id_country)


@pytest.mark.parametrize(
    ("seller", "buyer", "kind", "country", "code", "note"),
    [
        (GERMAN, BuyerTaxStatus("DE", CONSUMER), "domestic", "DE", "S", None),
        (GERMAN, confirmed("DE", "DE"), "domestic", "DE", "S", None),
        (GERMAN, BuyerTaxStatus("", CONSUMER), "domestic", "DE", "S", None),
        # A foreign id does not make a buyer at home a foreign one.
        (GERMAN, confirmed("DE", "FR"), "domestic", "DE", "S", None),
        (GERMAN, confirmed("FR", "FR"), "eu_reverse_charge", "FR", "AE", "reverse_charge"),
        (GERMAN, confirmed("GR", "GR"), "eu_reverse_charge", "GR", "AE", "reverse_charge"),
        (GERMAN_OSS, confirmed("FR", "FR"), "eu_reverse_charge", "FR", "AE", "reverse_charge"),
        (GERMAN_SMALL, confirmed("FR", "FR"), "eu_reverse_charge", "FR", "AE", "reverse_charge"),
        # An id of the seller's own state shows nothing, one of Northern Ireland is about goods.
        (GERMAN, confirmed("FR", "DE"), "eu_b2c_domestic", "DE", "S", None),
        (GERMAN, confirmed("FR", "XI"), "eu_b2c_domestic", "DE", "S", None),
        (GERMAN, BuyerTaxStatus("FR", CONSUMER, "FR"), "eu_b2c_domestic", "DE", "S", None),
        (GERMAN, BuyerTaxStatus("FR", BUSINESS), "eu_b2c_domestic", "DE", "S", None),
        (GERMAN_OSS, BuyerTaxStatus("FR", BUSINESS), "eu_b2c_oss", "FR", "S", "one_stop_shop"),
        (GERMAN_OSS, BuyerTaxStatus("FI", CONSUMER), "eu_b2c_oss", "FI", "S", "one_stop_shop"),
        (GERMAN_OSS_LATER, BuyerTaxStatus("FI", CONSUMER), "eu_b2c_domestic", "DE", "S", None),
        (
            GERMAN_SMALL,
            BuyerTaxStatus("DE", BUSINESS),
            "small_business_exempt",
            "DE",
            "E",
            "small_business_de",
        ),
        (
            GERMAN_SMALL,
            BuyerTaxStatus("FR", CONSUMER),
            "small_business_exempt",
            "DE",
            "E",
            "small_business_de",
        ),
        (GERMAN, BuyerTaxStatus("US", BUSINESS), "export", "US", "G", "export"),
        (GERMAN, BuyerTaxStatus("CH", CONSUMER), "export", "CH", "G", "export"),
        (GERMAN, BuyerTaxStatus("ES-CN", CONSUMER), "export", "ES-CN", "G", "export"),
        (GERMAN, confirmed("GB", "XI"), "export", "GB", "G", "export"),
        (GERMAN_SMALL, BuyerTaxStatus("US", CONSUMER), "export", "US", "G", "export"),
        (BRITISH, BuyerTaxStatus("GB", CONSUMER), "domestic", "GB", "S", None),
        (BRITISH, BuyerTaxStatus("DE", CONSUMER), "outside_scope", "DE", "O", "outside_scope"),
        (BRITISH, confirmed("DE", "DE"), "outside_scope", "DE", "O", "outside_scope"),
        (BRITISH, BuyerTaxStatus("US", BUSINESS), "outside_scope", "US", "O", "outside_scope"),
        (BRITISH_OSS, BuyerTaxStatus("DE", CONSUMER), "eu_b2c_oss", "DE", "S", "one_stop_shop"),
        (BRITISH_OSS, confirmed("DE", "DE"), "outside_scope", "DE", "O", "outside_scope"),
        (SellerTaxStatus(""), BuyerTaxStatus("FR", CONSUMER), "domestic", "", "S", None),
    ],
)
def test_each_supply_has_its_treatment(seller, buyer, kind, country, code, note):
    treatment = treatment_of(seller, buyer, on=TODAY)
    assert (treatment.kind, treatment.country, treatment.code, treatment.note) == (
        kind,
        country,
        code,
        note,
    )
    assert treatment.charges_tax == (code == "S")


@pytest.mark.parametrize(
    ("country", "note"),
    [
        ("DE", LegalNote.SMALL_BUSINESS_DE),
        ("AT", LegalNote.SMALL_BUSINESS_AT),
        ("FR", LegalNote.SMALL_BUSINESS_FR),
        ("SE", LegalNote.SMALL_BUSINESS_EU),
        ("CH", LegalNote.SMALL_BUSINESS),
    ],
)
def test_a_small_business_cites_its_own_law(country, note):
    seller = SellerTaxStatus(country, small_business_exempt=True)
    treatment = treatment_of(seller, BuyerTaxStatus(country, CONSUMER), on=TODAY)
    assert (treatment.kind, treatment.note) == (TreatmentKind.SMALL_BUSINESS_EXEMPT, note)


countries = st.sampled_from([*sorted(MEMBER_STATES), "GB", "CH", "NO", "US", "ES-CN", ""])
sellers = st.builds(
    SellerTaxStatus,
    country=countries,
    small_business_exempt=st.booleans(),
    oss_registered_since=st.none() | st.just(TODAY) | st.just(LATER),
)
buyers = st.builds(
    BuyerTaxStatus,
    country=countries,
    customer_type=st.sampled_from(CustomerType),
    confirmed_vat_id_country=st.none() | countries.filter(bool),
)


@given(sellers, buyers)
def test_no_tax_is_never_without_a_reason(seller, buyer):
    treatment = treatment_of(seller, buyer, on=TODAY)
    assert treatment.charges_tax or treatment.note is not None
    if treatment.kind is TreatmentKind.EU_REVERSE_CHARGE:
        assert buyer.customer_type is BUSINESS
        assert buyer.confirmed_vat_id_country in MEMBER_STATES - {seller.country}
        assert {seller.country, buyer.country} < MEMBER_STATES
    if treatment.charges_tax:
        assert treatment.country in {seller.country, buyer.country}


@given(sellers, countries)
def test_without_a_confirmed_id_a_business_is_taxed_like_a_consumer(seller, country):
    assert treatment_of(seller, BuyerTaxStatus(country, BUSINESS), on=TODAY) == treatment_of(
        seller, BuyerTaxStatus(country, CONSUMER), on=TODAY
    )


def test_a_taxed_line_at_zero_has_a_code_of_its_own():
    taxed = treatment_of(GERMAN, BuyerTaxStatus("DE", CONSUMER), on=TODAY)
    assert category_code(taxed, rate=Decimal("0.19")) is CategoryCode.STANDARD
    assert category_code(taxed, rate=Decimal(0)) is CategoryCode.ZERO
    untaxed = treatment_of(GERMAN, confirmed("FR", "FR"), on=TODAY)
    assert category_code(untaxed, rate=Decimal(0)) is CategoryCode.REVERSE_CHARGE
