"""Is a supply taxed, and at which rate, by the engine that its seller has chosen?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from billwright.features.accounts.model import Account, CustomerType
from billwright.features.accounts.operations.create_account import CreateAccount, create_account
from billwright.features.tax.model import CategoryCode, LegalNote, Treatment, TreatmentKind
from billwright.features.tax.operations.decide_taxes import decide_taxes
from billwright.features.tax.rules.engines import TAX_ENGINES, engine_of
from billwright.features.tax.rules.rate import has_home_rate, line_rate
from billwright.features.tax.rules.treatment import BuyerTaxStatus, SellerTaxStatus
from billwright.features.tenancy.model import Address, Seller, SellerParty
from billwright.kernel.ids import new_id
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import Tx

TODAY = date(2026, 1, 15)
OWN_RATES = {"standard": Decimal("0.10"), "food": Decimal("0.08")}
DOMESTIC = Treatment(TreatmentKind.DOMESTIC, "JP", CategoryCode.STANDARD)
BUYERS = [
    BuyerTaxStatus("JP", CustomerType.CONSUMER),
    BuyerTaxStatus("", CustomerType.CONSUMER),
    BuyerTaxStatus("DE", CustomerType.CONSUMER),
    BuyerTaxStatus("FR", CustomerType.BUSINESS, "FR"),
    BuyerTaxStatus("US", CustomerType.BUSINESS),
]


def a_seller(engine: str, *, country: str = "JP") -> Seller:
    return Seller(
        id=new_id(),
        party=SellerParty(name="Example", address=Address(country=country)),
        tax_rates=OWN_RATES,
        tax_engine=engine,
    )


async def a_consumer(tx: Tx, country: str) -> Account:
    return await create_account(
        tx,
        CreateAccount(
            name="Riverbank Books",
            customer_type=CustomerType.CONSUMER,
            address=Address(country=country),
        ),
    )


def test_engines_are_found_by_their_names():
    assert set(TAX_ENGINES) == {"vat", "fixed"}
    assert all(engine_of(name).name == name for name in TAX_ENGINES)


def test_an_unknown_engine_is_refused():
    with pytest.raises(Refusal) as refused:
        engine_of("sales", pointer="/tax_engine")
    assert refused.value.code == "tax_engine_unknown"
    assert refused.value.problems[0].pointer == "/tax_engine"
    assert "fixed, vat" in refused.value.detail


@pytest.mark.parametrize("buyer", BUYERS)
def test_fixed_taxes_every_buyer_alike(buyer):
    fixed = engine_of("fixed")
    assert fixed.treatment(SellerTaxStatus("JP"), buyer, on=TODAY) == DOMESTIC
    exempt = fixed.treatment(SellerTaxStatus("JP", small_business_exempt=True), buyer, on=TODAY)
    assert (exempt.kind, exempt.note) == ("small_business_exempt", LegalNote.SMALL_BUSINESS)
    assert not exempt.charges_tax


def test_fixed_knows_the_sellers_rates_only():
    fixed = engine_of("fixed")
    german = replace(DOMESTIC, country="DE")
    assert fixed.rate("food", treatment=german, own_rates=OWN_RATES, on=TODAY) == Decimal("0.08")
    with pytest.raises(Refusal) as refused:
        fixed.rate("reduced", treatment=german, own_rates=OWN_RATES, on=TODAY)
    assert refused.value.code == "tax_rate_unknown"


@pytest.mark.parametrize(
    ("engine", "country", "category", "known"),
    [
        ("vat", "DE", "reduced", True),
        ("vat", "DE", "food", True),
        ("vat", "DE", "luxury", False),
        ("vat", "JP", "standard", True),
        ("vat", "JP", "reduced", False),
        ("fixed", "DE", "food", True),
        ("fixed", "DE", "reduced", False),
    ],
)
def test_a_category_has_a_rate_at_home_when_the_engine_says_so(engine, country, category, known):
    seller = a_seller(engine, country=country)
    assert has_home_rate(category, seller=seller, on=TODAY) is known


@pytest.mark.parametrize(
    ("engine", "treatment", "rate"),
    [
        # By European law nothing is owed in Japan for what is supplied to Germany.
        ("vat", "outside_scope", "0"),
        ("fixed", "domestic", "0.10"),
    ],
)
async def test_treatment_and_rate_are_of_one_engine(tenant, engine, treatment, rate):
    seller = a_seller(engine)
    async with tenant.tx() as tx:
        buyer = await a_consumer(tx, "DE")
        decision = (await decide_taxes(tx, [buyer], seller=seller, on=TODAY))[buyer.id]
    assert (decision.engine, decision.treatment.kind) == (engine, treatment)
    assert line_rate("standard", tax=decision, own_rates=OWN_RATES, on=TODAY) == Decimal(rate)


async def test_a_seller_with_an_unknown_engine_taxes_nothing(tenant):
    async with tenant.tx() as tx:
        buyer = await a_consumer(tx, "DE")
        with pytest.raises(Refusal) as refused:
            await decide_taxes(tx, [buyer], seller=a_seller("sales"), on=TODAY)
    assert refused.value.code == "tax_engine_unknown"
