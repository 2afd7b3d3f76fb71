"""Does every message that asks for money lead to where it is paid, and none that must not?"""

from __future__ import annotations

import re
from dataclasses import replace

from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.notifications.jobs import deliver_due_requests
from billwright.features.notifications.model import RequestState
from billwright.features.payment_providers.model import PaymentMethod
from billwright.features.payment_providers.port import PaymentProviders
from billwright.features.payments.operations.collect_attempt import collect_attempt
from billwright.features.payments.operations.pay_link import PayTarget
from billwright.features.payments.operations.start_payment import StartPayment, start_payment
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.providers.payment import discover
from billwright.providers.payment.sandbox.provider import SandboxProvider
from tests.conftest import BOX, NOON
from tests.features.billing import a_plan, a_subscription, an_account
from tests.features.notifications.requesting import (
    PAY_LINKS,
    ScriptedMailer,
    a_request,
    request,
    requests_of,
    work_with,
)

PAGES = PaymentProviders({"sandbox": SandboxProvider(lambda: NOON)})
LINK = re.compile(r"https://billing\.example\.com/pay/([\w-]+)")
DEBT = {"account_name": "Sample Studio", "invoice_number": "INV-7", "amount_label": "€46.29"}


async def an_invoice(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx, email="books@riverbank.example")
        started = await a_subscription(tx, account)
        return account, await invoice_by_id(tx, started.billed.documents[0].id)


async def pay(tenant, invoice):
    async with tenant.tx() as tx:
        attempt = await start_payment(
            tx,
            StartPayment(
                invoice_id=invoice.id,
                amount=Money(invoice.due_minor, currency_of("EUR")),
                provider="manual",
                method=PaymentMethod.BANK_TRANSFER,
            ),
            providers=discover(),
        )
    await collect_attempt(tenant.tx, attempt.id, providers=discover(), box=BOX)


def asking(account, invoice, message_type, **data):
    return a_request(
        account,
        type=message_type,
        subject_id=invoice.id,
        data=DEBT | data,
        dedup_key=f"{message_type}:{invoice.id}",
    )


async def test_an_invoice_leads_to_its_page_where_there_is_one(tenant):
    account, invoice = await an_invoice(tenant)
    due = {"due_on_label": "January 29, 2026"}
    await request(tenant, asking(account, invoice, "invoice.finalized", **due))
    mailer = ScriptedMailer()
    await deliver_due_requests(work_with(tenant, mailer, payments=PAGES))
    [mail] = mailer.accepted
    [link] = LINK.findall(mail.text)
    assert PAY_LINKS.target_of(link) == PayTarget(tenant.id, invoice.id)
    assert f"/pay/{link}" in (mail.html or "")
    # It is made when the mail leaves, and stands nowhere in the database.
    assert link not in repr(await requests_of(tenant))


async def test_an_invoice_that_pays_itself_or_has_no_page_leads_nowhere(tenant):
    account, invoice = await an_invoice(tenant)
    due = {"due_on_label": "January 29, 2026"}
    await request(tenant, asking(account, invoice, "invoice.finalized", **due))
    mailer = ScriptedMailer()
    await deliver_due_requests(work_with(tenant, mailer))
    charged = asking(account, invoice, "invoice.finalized", collection_label="Visa", **due)
    await request(tenant, replace(charged, dedup_key="charged"))
    await deliver_due_requests(work_with(tenant, mailer, payments=PAGES))
    assert [LINK.findall(mail.text) for mail in mailer.accepted] == [[], []]


async def test_a_notice_leads_to_the_page_also_where_only_a_transfer_is_possible(tenant):
    account, invoice = await an_invoice(tenant)
    await request(tenant, asking(account, invoice, "dunning.reminder"))
    mailer = ScriptedMailer()
    await deliver_due_requests(work_with(tenant, mailer))
    assert len(LINK.findall(mailer.accepted[0].text)) == 1


async def test_who_has_paid_meanwhile_is_not_asked_any_more(tenant):
    account, invoice = await an_invoice(tenant)
    await request(
        tenant,
        asking(account, invoice, "dunning.reminder"),
        a_request(
            account,
            type="dunning.canceled",
            subject_id=invoice.id,
            data={"account_name": "Sample Studio", "invoice_number": "INV-7"},
            dedup_key="canceled",
        ),
    )
    await pay(tenant, invoice)
    mailer = ScriptedMailer()
    for _ in range(2):  # one after the other, since both are about one invoice
        await deliver_due_requests(work_with(tenant, mailer))
    reminder, ended = await requests_of(tenant)
    assert (reminder.state, reminder.last_error) == (
        RequestState.EXPIRED,
        "nothing is due any more",
    )
    assert ended.state is RequestState.DELIVERED
    assert LINK.findall(mailer.accepted[0].text) == []
    assert "still to be paid" not in mailer.accepted[0].text


async def test_another_tenant_s_invoice_is_not_looked_at(tenant, other_tenant):
    _, invoice = await an_invoice(tenant)
    async with other_tenant.tx() as tx:
        stranger = await an_account(tx, email="books@riverbank.example")
    await request(other_tenant, asking(stranger, invoice, "dunning.reminder"))
    mailer = ScriptedMailer()
    await deliver_due_requests(work_with(other_tenant, mailer))
    assert mailer.accepted == []
