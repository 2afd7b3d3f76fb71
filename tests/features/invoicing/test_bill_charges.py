"""Do charges come on documents as their timing, the account and the seller say?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from billwright.features.accounts.model import Collection
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.invoicing.model import (
    Billed,
    ChargeKind,
    DocumentKind,
    DraftPurpose,
    InvoiceState,
    InvoiceTiming,
    LiveCharge,
    Surplus,
)
from billwright.features.invoicing.operations.bill_charges import bill_charges
from billwright.features.invoicing.operations.finalize_draft import finalize_draft
from billwright.features.invoicing.operations.invoice_pending_charges import (
    InvoicePendingCharges,
    invoice_pending_charges,
)
from billwright.features.invoicing.operations.settle_invoice import settle_invoice
from billwright.features.invoicing.sql.reads import (
    charges_of_invoice,
    invoice_by_id,
    lines_of,
    list_invoices,
    pending_charges,
)
from billwright.kernel.currency import currency_of
from billwright.runtime.db.errors import IntegrityViolation
from tests.features.billing import an_account
from tests.features.invoicing.charging import (
    MID_JANUARY,
    a_charge,
    a_draft,
    billed,
    invoiced_line,
    the_rest_of,
)

ON_BILLING_DAY = {"collection": Collection.BILLING_DAY, "billing_day": 1}


async def amounts_of(tx, document) -> list[int]:
    return [line.amount_minor for line in await lines_of(tx, document.id)]


async def types_of_events(tx) -> list[str]:
    rows = await tx.fetch("select type from event order by id")
    return [row["type"] for row in rows if row["type"].startswith(("invoice.", "credit_note."))]


async def test_what_waited_comes_first_on_the_next_document(tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        later = await billed(tx, account, a_charge(1000), timing=InvoiceTiming.LATER)
        assert later == Billed(pending=1)
        invoiced = await billed(tx, account, a_charge(500), a_charge(2000))
        (document,) = invoiced.documents
        lines = await lines_of(tx, document.id)
        assert await pending_charges(tx, [account.id]) == {}
    # 35.00, and 19 % of it is 6.65
    assert (document.number, document.total_minor, invoiced.pending) == ("INV-2026-00001", 4165, 0)
    assert [(line.position, line.amount_minor, line.tax_minor) for line in lines] == [
        (1, 1000, 190),
        (2, 500, 95),
        (3, 2000, 380),
    ]


async def test_only_charges_of_the_same_account_and_currency_come_along(tenant):
    async with tenant.tx() as tx:
        account, other = await an_account(tx), await an_account(tx, "Harbor Games")
        dollars = a_draft(account, a_charge(700), currency=currency_of("USD"))
        await bill_charges(tx, [replace(dollars, timing=InvoiceTiming.LATER)])
        await billed(tx, other, a_charge(800), timing=InvoiceTiming.LATER)
        (document,) = (await billed(tx, account, a_charge(1000))).documents
        assert await amounts_of(tx, document) == [1000]
        assert set(await pending_charges(tx, [account.id, other.id])) == {
            (account.id, "USD"),
            (other.id, "EUR"),
        }


async def test_an_account_with_a_billing_day_collects_unless_it_is_asked_at_once(tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx, **ON_BILLING_DAY)
        assert await billed(tx, account, a_charge(1000)) == Billed(pending=1)
        at_once = await billed(tx, account, a_charge(500), timing=InvoiceTiming.AT_ONCE)
        (document,) = at_once.documents
        assert await amounts_of(tx, document) == [1000, 500]


async def test_all_that_waits_can_be_invoiced_on_demand(tenant):
    async with tenant.tx() as tx:
        await tx.execute("""update seller set minimum_invoice = '{"EUR": 5000}'""")
        account = await an_account(tx, **ON_BILLING_DAY)
        await billed(tx, account, a_charge(1000), a_charge(200))
        await bill_charges(tx, [a_draft(account, a_charge(700), currency=currency_of("USD"))])
        command = InvoicePendingCharges(account.id)
        documents = (await invoice_pending_charges(tx, command)).documents
        assert [await amounts_of(tx, each) for each in documents] == [[1000, 200], [700]]
        assert await invoice_pending_charges(tx, command) == Billed()


async def test_less_than_the_sellers_minimum_is_held_until_more_is_owed(tenant):
    async with tenant.tx() as tx:
        await tx.execute("""update seller set minimum_invoice = '{"EUR": 1000}'""")
        account = await an_account(tx)
        assert await billed(tx, account, a_charge(600), a_charge(399)) == Billed(held=2)
        (document,) = (await billed(tx, account, a_charge(1))).documents
        assert await amounts_of(tx, document) == [600, 399, 1]
        # Nothing, what is asked for at once, and another currency are not held.
        assert (await billed(tx, account, a_charge(0))).held == 0
        assert (await billed(tx, account, a_charge(5), timing=InvoiceTiming.AT_ONCE)).held == 0
        dollars = a_draft(account, a_charge(5), currency=currency_of("USD"))
        assert (await bill_charges(tx, [dollars])).held == 0


async def test_a_correction_takes_its_charge_back_at_the_charges_own_rate(tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        line = await invoiced_line(tx, account, 10000)
        await tx.execute('update seller set tax_rates = \'{"standard": "0.25"}\'')
        (document,) = (await billed(tx, account, the_rest_of(line, 5000), a_charge(8000))).documents
        invoice = await invoice_by_id(tx, document.id)
        lines = await lines_of(tx, document.id)
        taken_back = await the_first_charge(tx)
    assert [(each.amount_minor, each.tax_rate, each.tax_minor) for each in lines] == [
        (-5000, Decimal("0.19"), -950),
        (8000, Decimal("0.25"), 2000),
    ]
    assert (invoice.subtotal_minor, invoice.tax_minor, invoice.total_minor) == (3000, 1050, 4050)
    assert (taken_back.reversed_from, taken_back.credited_minor) == (MID_JANUARY, 5000)
    assert taken_back.creditable_minor == 5000


async def the_first_charge(tx) -> LiveCharge:
    invoice_id = await tx.fetch_value("select id from invoice order by id limit 1")
    (charge,) = await charges_of_invoice(tx, invoice_id)
    return charge


async def test_a_charge_gives_back_no_more_than_it_has_and_is_reversed_once(tenant):
    async with tenant.tx() as tx:
        account, other = await an_account(tx), await an_account(tx, "Harbor Games")
        line = await invoiced_line(tx, account, 10000)
        await billed(tx, account, the_rest_of(line, 5000))
    again = the_rest_of(line, 1000)
    for attempt in (
        a_draft(account, again),  # reversed before
        a_draft(account, the_rest_of(line, 5001, kind=ChargeKind.CREDIT)),
        a_draft(other, replace(again, kind=ChargeKind.CREDIT)),
        a_draft(account, replace(again, kind=ChargeKind.CREDIT), currency=currency_of("USD")),
    ):
        with pytest.raises((RuntimeError, IntegrityViolation)):
            async with tenant.tx() as tx:
                await bill_charges(tx, [attempt])
    async with tenant.tx() as tx:
        # Several at once add up: 20.00 + 30.00 are the rest of the 100.00.
        await billed(
            tx,
            account,
            the_rest_of(line, 2000, kind=ChargeKind.CREDIT),
            the_rest_of(line, 3000, kind=ChargeKind.CREDIT),
        )
        taken_back = await the_first_charge(tx)
    assert (taken_back.creditable_minor, taken_back.reversed_from) == (0, MID_JANUARY)


async def paid_line(tx, account, amount_minor: int, *, paid_minor: int) -> LiveCharge:
    """The only line of an invoice on which so much was paid."""
    line = await invoiced_line(tx, account, amount_minor)
    (invoice,) = await list_invoices(tx, before=None, limit=1)
    await settle_invoice(tx, invoice, amount_minor=paid_minor)
    return line


async def test_less_than_nothing_is_a_credit_note_that_stays_with_the_account(tenant, clock):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        line = await paid_line(tx, account, 10000, paid_minor=11900)
        (document,) = (await billed(tx, account, the_rest_of(line, 5000))).documents
        note = await invoice_by_id(tx, document.id)
        balance = await tx.fetch_value("select balance_minor from credit_balance")
        entry = await tx.fetch_row("select * from credit_entry")
    # 50.00 with 19 % of it
    assert (note.kind, note.number, note.state) == (
        DocumentKind.CREDIT_NOTE,
        "CN-2026-00001",
        InvoiceState.PAID,
    )
    assert (note.subtotal_minor, note.tax_minor, note.total_minor) == (-5000, -950, -5950)
    assert (note.due_minor, note.due_on, note.paid_at) == (0, None, clock.now())
    assert (note.to_balance_minor, document.due_minor, balance) == (5950, 0, 5950)
    assert (entry["kind"], entry["amount_minor"], entry["balance_minor"], entry["invoice_id"]) == (
        "credit_note",
        5950,
        5950,
        note.id,
    )
    async with tenant.tx() as tx:
        assert await types_of_events(tx) == [
            "invoice.finalized",
            "invoice.paid",
            "credit_note.issued",
        ]


@pytest.mark.parametrize(
    ("paid_minor", "surplus", "allocation"),
    [
        # Of 119.00, so much is paid; 59.50 is given back: to what is due first, then as is asked.
        (11900, Surplus.TO_REFUND, (0, 5950, 0)),
        (11900, Surplus.TO_BALANCE, (0, 0, 5950)),
        (8000, Surplus.TO_REFUND, (3900, 2050, 0)),
        (8000, Surplus.TO_BALANCE, (3900, 0, 2050)),
        (1000, Surplus.TO_REFUND, (5950, 0, 0)),
    ],
)
async def test_a_surplus_pays_what_is_due_first(tenant, paid_minor, surplus, allocation):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        line = await paid_line(tx, account, 10000, paid_minor=paid_minor)
        draft = replace(a_draft(account, the_rest_of(line, 5000)), surplus=surplus)
        (document,) = (await bill_charges(tx, [draft])).documents
        note = await invoice_by_id(tx, document.id)
        invoice = await invoice_by_id(tx, note.corrects_invoice_id)
    offset_minor, refund_minor, balance_minor = allocation
    assert (note.to_refund_minor, note.to_balance_minor) == (refund_minor, balance_minor)
    assert invoice.credited_minor == offset_minor
    assert invoice.due_minor == 11900 - paid_minor - offset_minor
    paid = InvoiceState.PARTIALLY_PAID if invoice.due_minor else InvoiceState.PAID
    assert invoice.state is paid


async def test_a_document_of_nothing_is_a_paid_invoice(tenant, clock):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        (document,) = (await billed(tx, account, a_charge(500), a_charge(-500))).documents
        invoice = await invoice_by_id(tx, document.id)
    assert (invoice.kind, invoice.state) == (DocumentKind.INVOICE, InvoiceState.PAID)
    assert (invoice.total_minor, invoice.paid_at) == (0, clock.now())
    async with tenant.tx() as tx:
        assert await types_of_events(tx) == ["invoice.finalized", "invoice.paid"]


async def test_a_kept_draft_has_no_number_until_a_person_finalizes_it(tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx, **ON_BILLING_DAY)
        await billed(tx, account, a_charge(300), timing=InvoiceTiming.LATER)
        draft = a_draft(
            account, a_charge(10000), reference="A-1", purpose=DraftPurpose.KEEP_AS_DRAFT
        )
        (document,) = (await bill_charges(tx, [draft])).documents
        kept = await invoice_by_id(tx, document.id)
        assert await amounts_of(tx, kept) == [10000]
        assert await tx.fetch_value("select count(*) from invoice_number") == 0
    assert (document.number, document.total_minor, kept.state) == (None, 11900, InvoiceState.DRAFT)
    assert (kept.number, kept.buyer_party_id, kept.tax_treatment) == (None, None, None)
    async with tenant.tx() as tx:
        assert await types_of_events(tx) == []
        # What it will be taxed with is decided on the day on which it is finalized.
        await tx.execute('update seller set tax_rates = \'{"standard": "0.25"}\'')
        issued = await finalize_draft(tx, kept, account=await lock_account(tx, account.id))
        invoice = await invoice_by_id(tx, kept.id)
        (line,) = await lines_of(tx, kept.id)
    assert (issued.number, issued.total_minor) == ("INV-2026-00001", 12500)
    assert (invoice.state, invoice.tax_minor, line.tax_minor) == (InvoiceState.OPEN, 2500, 2500)
    assert (invoice.reference, invoice.version) == ("A-1", 2)
    with pytest.raises(RuntimeError):
        async with tenant.tx() as tx:
            await finalize_draft(tx, kept, account=account)


async def test_a_price_with_tax_is_what_is_paid(tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        (document,) = (
            await billed(tx, account, a_charge(10000, tax_inclusive=True), a_charge(1000))
        ).documents
        invoice = await invoice_by_id(tx, document.id)
        lines = await lines_of(tx, document.id)
    # 100.00 / 1.19 = 84.0336, so 84.03 and 15.97; 10.00 and 1.90 of the other
    assert (invoice.subtotal_minor, invoice.tax_minor, invoice.total_minor) == (9403, 1787, 11190)
    assert [(line.amount_minor, line.net_minor, line.tax_minor) for line in lines] == [
        (10000, 8403, 1597),
        (1000, 1000, 190),
    ]


async def test_a_batch_costs_as_many_statements_as_one(tenant):
    async def statements(count: int) -> list[str]:
        seen: list[str] = []
        async with tenant.tx() as tx:
            drafts = []
            for _ in range(count):
                account = await an_account(tx)
                line = await invoiced_line(tx, account, 9000)
                await billed(tx, account, a_charge(100), timing=InvoiceTiming.LATER)
                drafts += [
                    a_draft(account, the_rest_of(line, 4000)),
                    a_draft(account, a_charge(2000, tax_inclusive=True)),
                    a_draft(account, a_charge(300), timing=InvoiceTiming.LATER),
                    a_draft(account, a_charge(400), purpose=DraftPurpose.KEEP_AS_DRAFT),
                ]
            with tx._connection.query_logger(lambda record: seen.append(record.query)):
                outcome = await bill_charges(tx, drafts)
            assert (len(outcome.documents), outcome.pending) == (3 * count, count)
        return seen

    await statements(1)  # which makes the series
    alone = await statements(1)
    assert await statements(12) == alone
    assert len(alone) <= 18
