"""Which tenants are refused, and is everything that is wrong named at once?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from billwright.features.tenancy.model import Address, Seller, SellerParty
from billwright.features.tenancy.operations.create_tenant import CreateTenant, create_tenant
from billwright.features.tenancy.rules.new_tenant import new_tenant_problems
from billwright.kernel.actor import system_actor
from billwright.kernel.ids import TenantId, new_id
from billwright.kernel.money import Rounding
from billwright.kernel.refusal import Refusal

SELLER = Seller(
    id=new_id(),
    party=SellerParty(
        name="Example Software GmbH",
        address=Address(line1="Musterstraße 1", city="Berlin", country="DE"),
        iban="DE02120300000000202051",
    ),
    currency="EUR",
    locale="de-DE",
    zone="Europe/Berlin",
    tax_rates={"standard": Decimal("0.19"), "zero": Decimal(0)},
)


def with_party(**changes: object) -> Seller:
    return replace(SELLER, party=replace(SELLER.party, **changes))


def with_address(**changes: object) -> Seller:
    return with_party(address=replace(SELLER.party.address, **changes))


def problems(*, code: str = "north", name: str = "North", seller: Seller = SELLER):
    return [(each.pointer, each.code) for each in new_tenant_problems(**locals())]


@pytest.mark.parametrize("code", ["a", "North-2_b", "9", "x" * 64])
def test_a_complete_tenant_has_no_problem(code: str):
    assert problems(code=code) == []
    assert problems(seller=with_party(iban="")) == []


@pytest.mark.parametrize("code", ["", "-a", "a b", "ä", "a\n", "x" * 65, "a/b"])
def test_a_code_is_what_fits_into_headers_and_addresses(code: str):
    assert problems(code=code) == [("/code", "tenant_code_malformed")]


@pytest.mark.parametrize(
    ("seller", "pointer", "code"),
    [
        (with_party(name=" "), "/party/name", "tenant_field_missing"),
        (with_address(line1=""), "/party/address/line1", "tenant_field_missing"),
        (with_address(city=""), "/party/address/city", "tenant_field_missing"),
        (with_address(country=""), "/party/address/country", "country_unknown"),
        (with_address(country="de"), "/party/address/country", "country_unknown"),
        (with_address(country="EU"), "/party/address/country", "country_unknown"),
        (with_party(iban="DE03120300000000202051"), "/party/iban", "iban_malformed"),
        (with_party(iban="DE02 1203 0000 0000 2020 51"), "/party/iban", "iban_malformed"),
        (with_party(iban="12"), "/party/iban", "iban_malformed"),
        (replace(SELLER, currency=""), "/currency", "currency_unknown"),
        (replace(SELLER, currency="EURO"), "/currency", "currency_unknown"),
        (replace(SELLER, zone="europe/berlin"), "/zone", "zone_unknown"),
        (replace(SELLER, locale="de_DE"), "/locale", "locale_malformed"),
        (
            replace(SELLER, payment_terms_days=-1),
            "/payment_terms_days",
            "payment_terms_out_of_range",
        ),
        (
            replace(SELLER, payment_terms_days=366),
            "/payment_terms_days",
            "payment_terms_out_of_range",
        ),
        (
            replace(SELLER, fiscal_year_start_month=0),
            "/fiscal_year_start_month",
            "fiscal_year_start_out_of_range",
        ),
        (
            replace(SELLER, fiscal_year_start_month=13),
            "/fiscal_year_start_month",
            "fiscal_year_start_out_of_range",
        ),
        # They would round 0.5 of a cent to 1 and its credit to nothing, or the other way round.
        (replace(SELLER, rounding=Rounding.CEILING), "/rounding", "rounding_uneven"),
        (replace(SELLER, rounding=Rounding.FLOOR), "/rounding", "rounding_uneven"),
        (
            replace(SELLER, minimum_invoice={"EURO": 500, "USD": 500}),
            "/minimum_invoice/EURO",
            "currency_unknown",
        ),
        *(
            (
                replace(SELLER, minimum_invoice={"EUR": amount_minor}),
                "/minimum_invoice/EUR",
                "minimum_invoice_not_positive",
            )
            for amount_minor in (0, -1)
        ),
        *(
            (
                replace(SELLER, tax_rates={"reduced": Decimal(rate)}),
                "/tax_rates/reduced",
                "tax_rate_out_of_range",
            )
            for rate in ("19", "1", "-0.01", "NaN", "Infinity")
        ),
    ],
)
def test_each_wrong_value_is_named_at_its_place(seller: Seller, pointer: str, code: str):
    assert problems(seller=seller) == [(f"/seller{pointer}", code)]


@pytest.mark.parametrize("iban", ["GB82WEST12345698765432", "NO9386011117947"])
def test_ibans_of_other_countries_are_known(iban: str):
    assert problems(seller=with_party(iban=iban)) == []


def test_everything_wrong_is_named_at_once():
    bare = Seller(id=new_id(), party=SellerParty(name="", address=Address()), currency="", zone="")
    assert [pointer for pointer, _ in problems(code="?", name="", seller=bare)] == [
        "/code",
        "/name",
        "/seller/party/name",
        "/seller/party/address/line1",
        "/seller/party/address/city",
        "/seller/party/address/country",
        "/seller/currency",
        "/seller/zone",
    ]


async def test_a_refused_tenant_leaves_nothing(database):
    command = CreateTenant(code="north", name="", seller=replace(SELLER, currency="EURO"))
    with pytest.raises(Refusal) as refused:
        async with database.tx(TenantId(new_id()), actor=system_actor("test"), cause="test") as tx:
            await create_tenant(tx, command)
    assert (refused.value.code, refused.value.category) == ("tenant_invalid", "invalid")
    assert [each.pointer for each in refused.value.problems] == ["/name", "/seller/currency"]
    assert await database.all_tenants() == []
