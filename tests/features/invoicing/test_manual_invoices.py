"""Can a person write an invoice, change it, drop it and send it?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billwright.features.invoicing.model import (
    ChargeKind,
    DraftPurpose,
    InvoiceState,
)
from billwright.features.invoicing.operations.add_charge import AddCharge, add_charge
from billwright.features.invoicing.operations.bill_charges import bill_charges
from billwright.features.invoicing.operations.build_document import build_document
from billwright.features.invoicing.operations.create_manual_invoice import (
    CreateManualInvoice,
    create_manual_invoice,
)
from billwright.features.invoicing.operations.delete_draft import delete_draft
from billwright.features.invoicing.operations.finalize_invoice import finalize_invoice
from billwright.features.invoicing.operations.update_draft import UpdateDraft, update_draft
from billwright.features.invoicing.rules.manual_line import ManualLine
from billwright.features.invoicing.sql.reads import (
    invoice_by_id,
    lines_of,
    list_invoices,
    pending_charges,
)
from billwright.kernel.refusal import Refusal
from tests.conftest import Tenant
from tests.features.billing import a_plan, an_account
from tests.features.invoicing.charging import (
    FEBRUARY,
    JANUARY,
    a_charge,
    a_draft,
    a_subscription_row,
    billed,
)


def a_line(price: str, quantity: str = "1", **changes: Any) -> ManualLine:
    line = ManualLine(description="Workshop", quantity=Decimal(quantity), unit_price=Decimal(price))
    return replace(line, **changes)


async def test_from_draft_to_document(tenant: Tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        draft = await create_manual_invoice(
            tx,
            CreateManualInvoice(
                account_id=account.id,
                lines=(
                    # 1.5 x 0.333 = 0.4995, so 0.50
                    a_line("0.333", "1.5", unit_name="hour"),
                    a_line("100.00", period_start=JANUARY, period_end=FEBRUARY),
                    a_line("-20.00"),
                    a_line("10.00", tax_category="reduced"),
                ),
                reference="Order 7",
                note="Thank you.",
            ),
        )
        # 80.50 at 19 % are 15.295, so 15.30; 10.00 at 7 % are 0.70
        assert (draft.state, draft.number, draft.total_minor) == (InvoiceState.DRAFT, None, 10650)
        with pytest.raises(Refusal) as refused:
            await build_document(tx, draft.id)
        assert refused.value.code == "invoice_without_document"
    async with tenant.tx() as tx:
        invoice = await finalize_invoice(tx, draft.id)
        assert (invoice.state, invoice.number) == (InvoiceState.OPEN, "INV-2026-00001")
        assert (invoice.subtotal_minor, invoice.tax_minor) == (9050, 1600)
        assert (invoice.issued_on, invoice.due_on) == (date(2026, 1, 15), date(2026, 1, 29))
        assert (invoice.reference, invoice.note) == ("Order 7", "Thank you.")
        lines = await lines_of(tx, draft.id)
        assert [(line.kind, line.amount_minor) for line in lines] == [
            (ChargeKind.MANUAL, 50),
            (ChargeKind.MANUAL, 10000),
            (ChargeKind.MANUAL, -2000),
            (ChargeKind.MANUAL, 1000),
        ]
        assert (await build_document(tx, draft.id)).note == "Thank you."
        assert await finalize_invoice(tx, draft.id) == invoice
        for change in (
            update_draft(tx, UpdateDraft(invoice_id=draft.id, note="Later.")),
            delete_draft(tx, draft.id),
        ):
            with pytest.raises(Refusal) as refused:
                await change
            assert refused.value.code == "state_forbids"


async def test_what_a_person_wrote_can_be_replaced(tenant: Tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        lines = (a_line("1.00"), a_line("2.00"), a_line("3.00"))
        draft = await create_manual_invoice(
            tx, CreateManualInvoice(account_id=account.id, lines=lines, note="One.")
        )
    async with tenant.tx() as tx:
        changed = await update_draft(
            tx,
            UpdateDraft(
                invoice_id=draft.id,
                lines=(a_line("50.00"),),
                reference="Order 8",
                expected_version=draft.version,
            ),
        )
        assert [line.amount_minor for line in await lines_of(tx, draft.id)] == [5000]
        assert (changed.total_minor, changed.note, changed.reference) == (5950, "One.", "Order 8")
        with pytest.raises(Refusal) as refused:
            await update_draft(
                tx, UpdateDraft(invoice_id=draft.id, note="Two.", expected_version=draft.version)
            )
        assert refused.value.code == "invoice_stale"
        assert (await update_draft(tx, UpdateDraft(invoice_id=draft.id, note=""))).note == ""
    async with tenant.tx() as tx:
        assert (await finalize_invoice(tx, draft.id)).total_minor == 5950


async def test_lines_of_subscriptions_stay_while_others_come_and_go(tenant: Tenant):
    async with tenant.tx() as tx:
        version = (await a_plan(tx)).version
        account = await an_account(tx)
        debt = a_charge(
            2900,
            kind=ChargeKind.RECURRING,
            subscription_id=await a_subscription_row(tx, account, version),
            plan_component_id=version.components[0].id,
        )
        kept = a_draft(account, debt, purpose=DraftPurpose.KEEP_AS_DRAFT)
        (draft,) = (await bill_charges(tx, [kept])).documents
        for lines, amounts in (
            ((a_line("5.00"), a_line("6.00")), [2900, 500, 600]),
            ((a_line("7.00"),), [2900, 700]),
            ((), [2900]),
        ):
            await update_draft(tx, UpdateDraft(invoice_id=draft.id, lines=lines))
            assert [line.amount_minor for line in await lines_of(tx, draft.id)] == amounts
        await update_draft(tx, UpdateDraft(invoice_id=draft.id, lines=(a_line("5.00"),)))
    async with tenant.tx() as tx:
        await delete_draft(tx, draft.id)
        ((waiting,),) = (await pending_charges(tx, [account.id])).values()
        assert (waiting.charge.amount_minor, waiting.charge.tax_rate) == (2900, None)
        assert await list_invoices(tx, before=None, limit=9) == []
    async with tenant.tx() as tx:
        (document,) = (await billed(tx, account, a_charge(100))).documents
        invoice = await invoice_by_id(tx, document.id)
    assert (invoice.number, invoice.subtotal_minor) == ("INV-2026-00001", 3000)


async def test_a_charge_comes_with_the_next_invoice(tenant: Tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        await add_charge(tx, AddCharge(account_id=account.id, line=a_line("12.00")))
        assert await list_invoices(tx, before=None, limit=9) == []
        (document,) = (await billed(tx, account, a_charge(100))).documents
        assert [line.amount_minor for line in await lines_of(tx, document.id)] == [1200, 100]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((), "invoice_without_line"),
        ((a_line("1.00"), a_line("-1.01")), "invoice_total_negative"),
        ((a_line("9.00"), a_line("-1.00", tax_category="reduced")), "invoice_total_negative"),
        ((a_line("99999999999.00", "1000000"),), "line_too_large"),
        ((a_line("1.00", period_start=FEBRUARY, period_end=JANUARY),), "line_period_reversed"),
        ((a_line("1.00", tax_category="luxury"),), "tax_rate_unknown"),
    ],
)
async def test_lines_that_make_no_invoice_are_refused(tenant: Tenant, lines, code):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        with pytest.raises(Refusal) as refused:
            await create_manual_invoice(tx, CreateManualInvoice(account_id=account.id, lines=lines))
        assert refused.value.code == code
        assert await tx.fetch_value("select count(*) from charge") == 0


async def test_a_charge_takes_nothing_off(tenant: Tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        with pytest.raises(Refusal) as refused:
            await add_charge(tx, AddCharge(account_id=account.id, line=a_line("-1.00")))
    assert refused.value.code == "charge_negative"


async def test_another_tenants_draft_and_account_are_invisible(
    tenant: Tenant, other_tenant: Tenant
):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        command = CreateManualInvoice(account_id=account.id, lines=(a_line("1.00"),))
        draft = await create_manual_invoice(tx, command)
    async with other_tenant.tx() as tx:
        for change, code in (
            (create_manual_invoice(tx, command), "account_unknown_here"),
            (update_draft(tx, UpdateDraft(invoice_id=draft.id, note="x")), "invoice_unknown"),
            (delete_draft(tx, draft.id), "invoice_unknown"),
            (finalize_invoice(tx, draft.id), "invoice_unknown"),
        ):
            with pytest.raises(Refusal) as refused:
                await change
            assert refused.value.code == code
