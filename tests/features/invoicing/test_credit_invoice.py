"""Does a credit note give back what its invoice charged, once, and to where it is said?"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from billwright.features.invoicing.model import (
    DocumentKind,
    Invoice,
    InvoiceId,
    InvoiceState,
    InvoiceTiming,
)
from billwright.features.invoicing.operations.bill_charges import bill_charges
from billwright.features.invoicing.operations.build_document import build_document
from billwright.features.invoicing.operations.credit_invoice import CreditInvoice, credit_invoice
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.invoicing.operations.mark_uncollectible import (
    MarkUncollectible,
    mark_uncollectible,
)
from billwright.features.invoicing.operations.settle_invoice import settle_invoice
from billwright.features.invoicing.rules.credit_allocation import Allocation
from billwright.features.invoicing.rules.credit_note import CreditLine
from billwright.features.invoicing.sql.reads import (
    charges_of_invoice,
    invoice_by_id,
    lines_of,
    list_invoices,
)
from billwright.features.invoicing.sql.reads_credit import credit_balances, list_credit_entries
from billwright.kernel.money import Money
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import Tx
from tests.conftest import Tenant
from tests.features.billing import an_account
from tests.features.invoicing.charging import a_charge, a_draft, billed, the_rest_of


async def invoiced(tx: Tx, *amounts: int, **changes: Any) -> InvoiceId:
    """An invoice of a new account with a line for each amount, plus 19 %."""
    account = await an_account(tx)
    charges = [a_charge(amount, **changes) for amount in amounts]
    return (await billed(tx, account, *charges)).documents[0].id


async def credited(tx: Tx, invoice_id: InvoiceId, **command: Any) -> Invoice:
    return await credit_invoice(
        tx, CreditInvoice(invoice_id=invoice_id, reason="outage", **command)
    )


async def paid(tx: Tx, invoice_id: InvoiceId, amount_minor: int) -> None:
    await settle_invoice(tx, await lock_invoice(tx, invoice_id), amount_minor=amount_minor)


async def balances(tx: Tx, invoice_id: InvoiceId) -> list[Money]:
    return await credit_balances(tx, (await invoice_by_id(tx, invoice_id)).account_id)


async def test_all_of_it_is_given_back(tenant: Tenant):
    async with tenant.tx() as tx:
        # 29.00 + 9.90 = 38.90; 19 % are 7.39; 46.29
        invoice_id = await invoiced(tx, 2900, 990)
        note = await credited(tx, invoice_id, note="Sorry.")
        invoice, lines = await invoice_by_id(tx, invoice_id), await lines_of(tx, note.id)
        given = await charges_of_invoice(tx, invoice_id)
    assert (note.kind, note.state, note.number) == (
        DocumentKind.CREDIT_NOTE,
        InvoiceState.PAID,
        "CN-2026-00001",
    )
    assert (note.subtotal_minor, note.tax_minor, note.total_minor) == (-3890, -739, -4629)
    assert (note.due_minor, note.corrects_invoice_id) == (0, invoice_id)
    assert (note.seller_party_id, note.buyer_party_id) == (
        invoice.seller_party_id,
        invoice.buyer_party_id,
    )
    assert (note.note, note.reason, note.due_on) == ("Sorry.", "outage", None)
    assert [(line.amount_minor, line.tax_minor) for line in lines] == [(-2900, -551), (-990, -188)]
    assert [line.corrects_charge_id for line in lines] == [each.id for each in given]
    assert [each.creditable_minor for each in given] == [0, 0]
    # It was due, so nothing is owed to anybody.
    assert (invoice.state, invoice.due_minor, invoice.credited_minor) == (
        InvoiceState.PAID,
        0,
        4629,
    )
    async with tenant.tx() as tx:
        types = [row["type"] for row in await tx.fetch("select type from event order by id")]
        assert types[-2:] == ["credit_note.issued", "invoice.paid"]
        assert await balances(tx, invoice_id) == []
        with pytest.raises(Refusal) as refused:
            await credited(tx, invoice_id)
    assert refused.value.code == "nothing_to_credit"


async def test_notes_in_parts_sum_to_the_invoice(tenant: Tenant):
    async with tenant.tx() as tx:
        # 4 x 0.13 = 0.52; 19 % are 0.0988: 0.10. Of one line alone it is 0.0247: 0.02, of which four
        # would be 0.08; so the last one takes 0.04.
        invoice_id = await invoiced(tx, 13, 13, 13, 13)
        notes = [
            await credited(tx, invoice_id, lines=(CreditLine(line.id),))
            for line in await lines_of(tx, invoice_id)
        ]
        invoice = await invoice_by_id(tx, invoice_id)
    assert [note.tax_minor for note in notes] == [-2, -2, -2, -4]
    assert sum(note.subtotal_minor for note in notes) == -invoice.subtotal_minor
    assert sum(note.tax_minor for note in notes) == -invoice.tax_minor


async def test_a_part_can_be_divided_at_will(tenant: Tenant):
    async with tenant.tx() as tx:
        invoice_id = await invoiced(tx, 10000)  # 119.00
        await paid(tx, invoice_id, 10000)
        # 50.00 and 9.50: 59.50, of which 19.00 are due and 100.00 were paid.
        note = await credited(
            tx,
            invoice_id,
            amount_minor=5000,
            allocation=Allocation(to_invoice_minor=900, to_balance_minor=50, to_refund_minor=5000),
        )
        invoice = await invoice_by_id(tx, invoice_id)
        assert (note.to_balance_minor, note.to_refund_minor) == (50, 5000)
        assert (invoice.state, invoice.due_minor) == (InvoiceState.PARTIALLY_PAID, 1000)
        assert [each.amount_minor for each in await balances(tx, invoice_id)] == [50]
        (entry,) = await list_credit_entries(
            tx, invoice.account_id, currency="EUR", before=None, limit=9
        )
        assert (entry.invoice_id, entry.amount_minor, entry.kind.value) == (
            note.id,
            50,
            "credit_note",
        )
        # The rest is 59.50 too: more than the 50.00 that were paid and not refunded yet.
        with pytest.raises(Refusal) as refused:
            await credited(tx, invoice_id, allocation=Allocation(to_refund_minor=5950))
    assert refused.value.code == "refund_above_paid"


async def test_prices_with_tax_are_given_back_as_they_were_agreed(tenant: Tenant):
    async with tenant.tx() as tx:
        invoice_id = await invoiced(tx, 11900, tax_inclusive=True)
        note = await credited(tx, invoice_id, amount_minor=1000)
        # 10.00 with 19 % in it are 8.40 and 1.60.
        assert (note.subtotal_minor, note.tax_minor, note.total_minor) == (-840, -160, -1000)
        rest = await credited(tx, invoice_id)
    assert (rest.subtotal_minor, rest.tax_minor, rest.total_minor) == (-9160, -1740, -10900)


async def test_credits_by_later_documents_count(tenant: Tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        (document,) = (await billed(tx, account, a_charge(10000))).documents
        (line,) = await charges_of_invoice(tx, document.id)
        # 30.00 at once on another document, which is a credit note itself: 5.70 of tax.
        await billed(tx, account, the_rest_of(line, 3000, tax_rate=Decimal("0.19")))
        note = await credited(tx, document.id)
    # 70.00 and 13.30 are left of 100.00 and 19.00.
    assert (note.subtotal_minor, note.tax_minor) == (-7000, -1330)


async def test_credits_that_wait_count(tenant: Tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        (document,) = (await billed(tx, account, a_charge(10000))).documents
        (line,) = await charges_of_invoice(tx, document.id)
        credit = the_rest_of(line, 3000, tax_rate=Decimal("0.19"))
        await bill_charges(tx, [a_draft(account, credit, timing=InvoiceTiming.LATER)])
        note = await credited(tx, document.id)
    assert (note.subtotal_minor, note.tax_minor) == (-7000, -1330)


async def test_what_the_seller_gave_up_stays_given_up_while_something_is_due(tenant: Tenant):
    async with tenant.tx() as tx:
        invoice_id = await invoiced(tx, 10000)
        await mark_uncollectible(tx, MarkUncollectible(invoice_id=invoice_id, reason="gone"))
        await credited(tx, invoice_id, amount_minor=5000)
        assert (await invoice_by_id(tx, invoice_id)).state is InvoiceState.UNCOLLECTIBLE
        await credited(tx, invoice_id)
        assert (await invoice_by_id(tx, invoice_id)).state is InvoiceState.PAID


async def test_numbers_of_notes_are_gapless_and_restart_with_the_year(tenant: Tenant, clock):
    async with tenant.tx() as tx:
        invoice_id = await invoiced(tx, 10000)
    with pytest.raises(RuntimeError):
        async with tenant.tx() as tx:
            await credited(tx, invoice_id, amount_minor=1)
            raise RuntimeError
    numbers = []
    for at in (None, datetime(2026, 12, 31, 23, 30, tzinfo=UTC)):
        if at:
            clock.move_to(at)
        async with tenant.tx() as tx:
            numbers.append((await credited(tx, invoice_id, amount_minor=1)).number)
    assert numbers == ["CN-2026-00001", "CN-2027-00001"]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"lines": (CreditLine(UUID(int=1)),)}, "credit_line_unknown"),
        ({"lines": (CreditLine(UUID(int=1)),), "amount_minor": 1}, "credit_ambiguous"),
        ({"amount_minor": 10001}, "credit_too_large"),
        ({"amount_minor": 0}, "credit_not_positive"),
        ({"allocation": Allocation(to_invoice_minor=11901)}, "allocation_differs"),
        ({"allocation": Allocation(to_refund_minor=11900)}, "refund_above_paid"),
    ],
)
async def test_what_does_not_fit_changes_nothing(tenant: Tenant, command, code):
    async with tenant.tx() as tx:
        invoice_id = await invoiced(tx, 10000)
    with pytest.raises(Refusal) as refused:
        async with tenant.tx() as tx:
            await credited(tx, invoice_id, **command)
    assert refused.value.code == code
    async with tenant.tx() as tx:
        assert len(await list_invoices(tx, before=None, limit=9)) == 1
        assert (await charges_of_invoice(tx, invoice_id))[0].credited_minor == 0


async def test_a_credit_note_is_not_credited(tenant: Tenant):
    async with tenant.tx() as tx:
        note = await credited(tx, await invoiced(tx, 10000))
        with pytest.raises(Refusal) as refused:
            await credited(tx, note.id)
    assert refused.value.code == "invoice_not_creditable"


async def test_its_document_names_the_invoice_and_says_where_the_money_goes(tenant: Tenant):
    async with tenant.tx() as tx:
        invoice_id = await invoiced(tx, 10000)
        await paid(tx, invoice_id, 11000)
        note = await credited(tx, invoice_id)
        document = await build_document(tx, note.id)
        original = await build_document(tx, invoice_id)
    assert document.corrected_numbers == ("INV-2026-00001",)
    assert (document.totals.total.amount_minor, document.lines[0].net.amount_minor) == (
        11900,
        10000,
    )
    use = document.credit_use
    assert use is not None
    assert (use.to_invoice.amount_minor, use.to_balance.amount_minor) == (900, 11000)
    assert (original.totals.credited, original.totals.paid) == (
        Money(900, original.currency),
        Money(11000, original.currency),
    )


async def test_another_tenants_invoice_is_invisible(tenant: Tenant, other_tenant: Tenant):
    async with tenant.tx() as tx:
        invoice_id = await invoiced(tx, 10000)
    async with other_tenant.tx() as tx:
        with pytest.raises(Refusal) as refused:
            await credited(tx, invoice_id)
    assert refused.value.code == "invoice_unknown"
