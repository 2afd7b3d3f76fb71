"""Can an invoice be sent once more, as often as somebody wants, as it stands by then?"""

from __future__ import annotations

from billwright.features.invoicing.operations.credit_invoice import CreditInvoice, credit_invoice
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.invoicing.operations.settle_invoice import settle_invoice
from billwright.features.invoicing.operations.void_invoice import VoidInvoice, void_invoice
from billwright.features.notifications.jobs import deliver_due_requests
from billwright.features.notifications.operations.send_invoice import send_invoice
from tests.conftest import Tenant
from tests.features.billing import a_plan, a_subscription, an_account
from tests.features.notifications.requesting import ScriptedMailer, requests_of, work_with
from tests.features.refusing import refusing


async def invoiced(tenant: Tenant, **account: str | None):
    """46.29 EUR are due: 29.00 and 9.90, with 19 % tax."""
    async with tenant.tx() as tx:
        await a_plan(tx)
        billed = await a_subscription(
            tx, await an_account(tx, **{"email": "books@riverbank.example", **account})
        )
    return billed.billed.documents[0]


async def test_each_sending_is_a_message_of_its_own(tenant):
    invoice = await invoiced(tenant)
    for _ in range(2):
        async with tenant.tx() as tx:
            assert await send_invoice(tx, invoice.id) == 1
    first, second = await requests_of(tenant)
    assert first.dedup_key != second.dedup_key
    assert first.data == second.data
    assert first.data["invoice_number"] == invoice.number
    assert "46.29" in first.data["amount_label"]
    assert "total_label" not in first.data
    async with tenant.tx() as tx:
        sent = await tx.fetch("select details from audit_entry where action = 'invoice.send'")
    assert len(sent) == 2


async def test_a_paid_invoice_says_that_nothing_is_due(tenant):
    invoice = await invoiced(tenant)
    async with tenant.tx() as tx:
        await settle_invoice(tx, await lock_invoice(tx, invoice.id), amount_minor=4629)
        await send_invoice(tx, invoice.id)
    [request] = await requests_of(tenant)
    assert "0.00" in request.data["amount_label"]
    assert "46.29" in request.data["total_label"]
    mailer = ScriptedMailer()
    await deliver_due_requests(work_with(tenant, mailer))
    [mail] = mailer.accepted
    assert "Nothing is due on it any more." in mail.text
    assert "Please pay" not in mail.text


async def test_what_nobody_owes_or_reads_is_not_sent(tenant):
    invoice = await invoiced(tenant, email=None)
    async with tenant.tx() as tx:
        with refusing("recipient_missing"):
            await send_invoice(tx, invoice.id)
        note = await credit_invoice(tx, CreditInvoice(invoice_id=invoice.id, reason="Sorry"))
        with refusing("invoice_not_sendable"):
            await send_invoice(tx, note.id)
    async with tenant.tx() as tx:
        billed = await a_subscription(tx, await an_account(tx, email="a@riverbank.example"))
        void_id = billed.billed.documents[0].id
        await void_invoice(tx, VoidInvoice(invoice_id=void_id, reason="Wrong"))
        with refusing("invoice_not_sendable"):
            await send_invoice(tx, void_id)
    assert await requests_of(tenant) == []


async def test_another_tenants_invoice_is_not_there(tenant, other_tenant):
    invoice = await invoiced(tenant)
    async with other_tenant.tx() as tx:
        with refusing("invoice_unknown"):
            await send_invoice(tx, invoice.id)
