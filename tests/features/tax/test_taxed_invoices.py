"""Is every invoice taxed as its seller, its buyer and its day ask for, and does it say so for ever?"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billwright.features.invoicing.model import ChargeKind, InvoiceDraft, NewCharge
from billwright.features.invoicing.operations.bill_charges import bill_charges
from billwright.features.invoicing.operations.build_document import build_document
from billwright.features.invoicing.sql.reads import invoice_by_id, lines_of
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.tax.jobs import check_due_vat_ids
from billwright.features.tax.port import VatIdAnswer
from billwright.features.tenancy.model import Address
from billwright.kernel.currency import currency_of
from billwright.kernel.refusal import Refusal
from tests.features.billing import a_plan, a_subscription, in_arrears
from tests.features.tax.selling import (
    AUSTRIAN_ID,
    FRENCH_ID,
    ScriptedRegister,
    a_business,
    a_buyer,
    a_seller,
    an_invoice,
    flat,
    request_checks,
    work_with,
)

RATES = {"standard": Decimal("0.19")}
RATES_AND_BOOKS = {"standard": Decimal("0.19"), "books": Decimal("0.07")}


async def answered(tenant, account, answer: VatIdAnswer = VatIdAnswer.VALID) -> None:
    await request_checks(tenant, account)
    register = ScriptedRegister(**{str(account.tax_id): [answer]})
    await check_due_vat_ids(work_with(tenant, register))


def a_charge(
    amount_minor: int, category: str = "standard", *, is_inclusive: bool = False
) -> NewCharge:
    """Something owed for January 2026, which has not ended yet."""
    return NewCharge(
        subscription_id=None,
        plan_component_id=None,
        kind=ChargeKind.MANUAL,
        period_start=datetime(2026, 1, 1, tzinfo=UTC),
        period_end=datetime(2026, 2, 1, tzinfo=UTC),
        description="Support",
        quantity=Decimal(1),
        unit_name="",
        unit_price=None,
        amount_minor=amount_minor,
        tax_category=category,
        tax_inclusive=is_inclusive,
    )


def amounts(invoice) -> tuple[int, int, int]:
    return invoice.subtotal_minor, invoice.tax_minor, invoice.total_minor


async def test_at_home_the_tables_rate_is_charged(database):
    seller = await a_seller(database, "DE", tax_rates=RATES)
    async with seller.tx() as tx:
        buyer = await a_buyer(tx, "DE")
    invoice = await an_invoice(seller, buyer)
    # 100.00 x 0.19 = 19.00
    assert amounts(invoice) == (10000, 1900, 11900)
    assert (invoice.tax_treatment, invoice.tax_country, invoice.tax_code) == ("domestic", "DE", "S")
    assert (invoice.tax_note, invoice.vat_id_status) == (None, None)


async def test_a_confirmed_business_of_another_state_owes_the_tax_itself(database):
    seller = await a_seller(database, "DE", tax_rates=RATES)
    async with seller.tx() as tx:
        buyer = await a_business(tx, "FR", "FR 61 954 506 077", locale="de")
    await answered(seller, buyer)
    invoice = await an_invoice(seller, buyer)
    assert amounts(invoice) == (10000, 0, 10000)
    assert (invoice.tax_treatment, invoice.tax_country, invoice.tax_code) == (
        "eu_reverse_charge",
        "FR",
        "AE",
    )
    assert (invoice.tax_note, invoice.vat_id_status) == ("reverse_charge", "valid")
    async with seller.tx() as tx:
        document = await build_document(tx, invoice.id)
    assert document.tax_note is not None
    assert document.tax_note.startswith("Steuerschuldnerschaft des Leistungsempfängers")
    assert document.buyer.vat_id == FRENCH_ID
    [row] = document.totals.taxes
    assert (row.rate, row.base.amount_minor, row.tax.amount_minor) == (0, 10000, 0)


@pytest.mark.parametrize(
    ("answer", "status"),
    [(VatIdAnswer.INVALID, "invalid"), (VatIdAnswer.UNAVAILABLE, "unavailable")],
)
async def test_a_business_without_a_confirmed_id_is_taxed_like_a_consumer(database, answer, status):
    seller = await a_seller(database, "DE", tax_rates=RATES, oss_registered_since=date(2026, 1, 1))
    async with seller.tx() as tx:
        buyer = await a_business(tx, "FR", FRENCH_ID)
    await answered(seller, buyer, answer)
    invoice = await an_invoice(seller, buyer)
    # 100.00 x 0.20 = 20.00, the French rate
    assert amounts(invoice) == (10000, 2000, 12000)
    assert (invoice.tax_treatment, invoice.vat_id_status) == ("eu_b2c_oss", status)


async def test_an_id_that_was_never_asked_for_or_replaced_is_unchecked(database):
    seller = await a_seller(database, "DE", tax_rates=RATES)
    async with seller.tx() as tx:
        buyer = await a_business(tx, "FR", FRENCH_ID)
    first = await an_invoice(seller, buyer)
    assert (first.tax_treatment, first.vat_id_status) == ("eu_b2c_domestic", "unchecked")
    await answered(seller, buyer)
    async with seller.tx() as tx:
        await tx.execute("update account set tax_id = $1", AUSTRIAN_ID)
    second = await an_invoice(seller, buyer)
    assert (second.tax_treatment, second.vat_id_status) == ("eu_b2c_domestic", "unchecked")


async def test_the_one_stop_shop_charges_the_buyers_rate(database):
    seller = await a_seller(database, "DE", tax_rates=RATES, oss_registered_since=date(2026, 1, 1))
    async with seller.tx() as tx:
        buyer = await a_buyer(tx, "FI")
    invoice = await an_invoice(seller, buyer)
    # 100.00 x 0.255 = 25.50
    assert amounts(invoice) == (10000, 2550, 12550)
    assert (invoice.tax_treatment, invoice.tax_country) == ("eu_b2c_oss", "FI")
    async with seller.tx() as tx:
        [line] = await lines_of(tx, invoice.id)
        document = await build_document(tx, invoice.id)
    assert (line.tax_rate, line.tax_minor) == (Decimal("0.255"), 2550)
    assert "One Stop Shop" in str(document.tax_note)


async def test_a_small_business_charges_nothing_and_says_why(database):
    seller = await a_seller(database, "DE", small_business_exempt=True, tax_rates=RATES)
    async with seller.tx() as tx:
        buyer = await a_buyer(tx, "DE")
    invoice = await an_invoice(seller, buyer)
    assert amounts(invoice) == (10000, 0, 10000)
    assert (invoice.tax_treatment, invoice.tax_code) == ("small_business_exempt", "E")
    async with seller.tx() as tx:
        assert "§ 19" in str((await build_document(tx, invoice.id)).tax_note)


async def test_what_leaves_the_union_is_not_taxed(database):
    seller = await a_seller(database, "ES", tax_rates={"standard": Decimal("0.21")})
    async with seller.tx() as tx:
        islander = await a_buyer(tx, "ES", address=Address(country="ES", postal_code="35001"))
        american = await a_business(tx, "US", "12-3456789")
    for buyer, country, status in ((islander, "ES-CN", None), (american, "US", "unchecked")):
        invoice = await an_invoice(seller, buyer)
        assert amounts(invoice) == (10000, 0, 10000)
        assert (invoice.tax_treatment, invoice.tax_country, invoice.tax_code) == (
            "export",
            country,
            "G",
        )
        assert invoice.vat_id_status == status


async def test_a_british_seller_taxes_at_home_only(database):
    seller = await a_seller(database, "GB", tax_rates={"standard": Decimal("0.20")})
    async with seller.tx() as tx:
        at_home, abroad = await a_buyer(tx, "IM"), await a_buyer(tx, "DE")
    assert amounts(await an_invoice(seller, at_home)) == (10000, 2000, 12000)
    invoice = await an_invoice(seller, abroad)
    assert amounts(invoice) == (10000, 0, 10000)
    assert (invoice.tax_treatment, invoice.tax_code) == ("outside_scope", "O")


async def test_each_day_has_its_own_rate(database, clock):
    seller = await a_seller(
        database,
        "DE",
        tax_rates=RATES,
        zone="Europe/Tallinn",
        oss_registered_since=date(2025, 1, 1),
    )
    clock.move_to(datetime(2025, 5, 31, 21, tzinfo=UTC))  # the midnight in which June begins
    async with seller.tx() as tx:
        buyer = await a_buyer(tx, "EE", zone="Europe/Tallinn")
        await a_plan(
            tx, "mixed", components=(flat("base", "100.00"), in_arrears("support", "10.00"))
        )
        await a_subscription(tx, buyer, "mixed")
    clock.move_to(datetime(2025, 6, 30, 21, tzinfo=UTC))
    await renew_due_subscriptions(seller.work())
    async with seller.tx() as tx:
        invoice_id = await tx.fetch_value("select id from invoice order by id desc limit 1")
        invoice, lines = await invoice_by_id(tx, invoice_id), await lines_of(tx, invoice_id)
    # June's support has June's 22 %, July's base fee July's 24 %: 2.20 + 24.00 = 26.20.
    assert {(line.amount_minor, line.tax_rate) for line in lines} == {
        (1000, Decimal("0.22")),
        (10000, Decimal("0.24")),
    }
    assert amounts(invoice) == (11000, 2620, 13620)
    assert {(part.rate, part.base_minor, part.tax_minor) for part in invoice.taxes} == {
        (Decimal("0.22"), 1000, 220),
        (Decimal("0.24"), 10000, 2400),
    }


@pytest.mark.parametrize(
    ("currency", "prices", "expected"),
    [
        # 50 + 49 yen: 99 x 0.255 = 25.245, so 25; shared 13 and 12 (12.63 and 12.37)
        ("JPY", ("50", "49"), (99, 25, 124, [13, 12])),
        # 0.05 + 0.05: 0.10 x 0.255 = 0.0255, so 0.03; the earlier line takes the odd cent
        ("EUR", ("0.05", "0.05"), (10, 3, 13, [2, 1])),
        # 1.001 + 2.002: 3.003 x 0.255 = 0.765765, so 0.766; shared 0.255 and 0.511
        ("KWD", ("1.001", "2.002"), (3003, 766, 3769, [255, 511])),
    ],
)
async def test_lines_and_tax_make_the_total_in_every_currency(database, currency, prices, expected):
    seller = await a_seller(database, "DE", tax_rates=RATES, oss_registered_since=date(2025, 1, 1))
    async with seller.tx() as tx:
        buyer = await a_buyer(tx, "FI", currency=currency)
    invoice = await an_invoice(
        seller,
        buyer,
        components=tuple(
            flat(f"part-{position}", price, currency=currency)
            for position, price in enumerate(prices)
        ),
    )
    async with seller.tx() as tx:
        lines = await lines_of(tx, invoice.id)
    assert (*amounts(invoice), [line.tax_minor for line in lines]) == expected


async def test_a_category_without_a_rate_stops_the_invoice(database):
    seller = await a_seller(database, "US", tax_rates={"standard": Decimal("0.08")})
    async with seller.tx() as tx:
        at_home = await a_buyer(tx, "US")
        await a_plan(tx, "team")
        await tx.execute("update seller set tax_rates = '{}'")
    with pytest.raises(Refusal) as refused:
        async with seller.tx() as tx:
            await a_subscription(tx, at_home)
    assert refused.value.code == "tax_rate_unknown"


async def test_a_batch_costs_as_many_statements_as_one(database):
    seller = await a_seller(database, "DE", tax_rates=RATES)
    async with seller.tx() as tx:
        buyers = [
            await (a_business(tx, "FR", FRENCH_ID) if number % 2 else a_buyer(tx, "AT"))
            for number in range(12)
        ]

    async def statements(count: int) -> list[str]:
        batch = [
            InvoiceDraft(buyer, currency_of("EUR"), (a_charge(10000),)) for buyer in buyers[-count:]
        ]
        seen: list[str] = []
        async with seller.tx() as tx:
            with tx._connection.query_logger(lambda record: seen.append(record.query)):
                assert len((await bill_charges(tx, batch)).documents) == count
        return seen

    await statements(12)  # which also makes the series of numbers and stores the parties
    alone, together = await statements(1), await statements(12)
    # The commit writes events and audit entries, whatever their number.
    assert together == alone
    assert sum("vat_id_check" in query for query in together) == 1


async def test_categories_with_one_rate_are_taxed_as_one(database):
    seller = await a_seller(database, "DE", tax_rates=RATES_AND_BOOKS)
    async with seller.tx() as tx:
        buyer = await a_business(tx, "FR", FRENCH_ID)
    await answered(seller, buyer)
    charges = (a_charge(10000), a_charge(10000, "books"))
    async with seller.tx() as tx:
        billed = await bill_charges(tx, [InvoiceDraft(buyer, currency_of("EUR"), charges)])
        invoice = await invoice_by_id(tx, billed.documents[0].id)
    [part] = invoice.taxes
    assert (part.rate, part.base_minor, part.tax_minor) == (0, 20000, 0)


async def test_inclusive_and_other_prices_come_on_one_invoice(database):
    seller = await a_seller(database, "DE", tax_rates=RATES)
    async with seller.tx() as tx:
        buyer = await a_buyer(tx, "DE")
        charges = (a_charge(1000), a_charge(1000, is_inclusive=True))
        billed = await bill_charges(tx, [InvoiceDraft(buyer, currency_of("EUR"), charges)])
        invoice = await invoice_by_id(tx, billed.documents[0].id)
        lines = await lines_of(tx, invoice.id)
    # Net 10.00 and 1.90; gross 10.00 is 8.40 and 1.60: 18.40 + 3.50 = 21.90.
    assert amounts(invoice) == (1840, 350, 2190)
    assert [(line.amount_minor, line.tax_minor) for line in lines] == [(1000, 190), (1000, 160)]
    [part] = invoice.taxes
    assert (part.base_minor, part.tax_minor) == (1840, 350)


async def test_an_inclusive_price_is_paid_in_full_where_no_tax_is_charged(database):
    seller = await a_seller(database, "DE", tax_rates=RATES)
    async with seller.tx() as tx:
        at_home, abroad = await a_buyer(tx, "DE"), await a_business(tx, "FR", FRENCH_ID)
    await answered(seller, abroad)
    for buyer, expected in (
        (at_home, (10000, 1900, 11900)),  # 119.00 / 1.19
        (abroad, (11900, 0, 11900)),  # reverse charge: the agreed 119.00 are the price
    ):
        invoice = await an_invoice(
            seller, buyer, components=(flat("base", "119.00"),), tax_inclusive=True
        )
        assert amounts(invoice) == expected


async def test_a_seller_with_fixed_rates_taxes_every_buyer(database):
    seller = await a_seller(
        database, "JP", tax_rates={"standard": Decimal("0.10")}, tax_engine="fixed"
    )
    async with seller.tx() as tx:
        buyers = [await a_buyer(tx, "JP"), await a_business(tx, "FR", FRENCH_ID)]
    for buyer in buyers:
        invoice = await an_invoice(seller, buyer)
        # 100.00 x 0.10 = 10.00
        assert amounts(invoice) == (10000, 1000, 11000)
        assert (invoice.tax_treatment, invoice.tax_country) == ("domestic", "JP")
