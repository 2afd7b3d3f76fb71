"""Is what is said of the next invoice what that invoice then says?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from billwright.features.accounts.model import Account, Collection
from billwright.features.accounts.operations.park_account import park_account
from billwright.features.invoicing.model import Invoice, InvoiceLine
from billwright.features.invoicing.operations.add_charge import AddCharge, add_charge
from billwright.features.invoicing.operations.grant_credit import ChangeCredit, grant_credit
from billwright.features.invoicing.operations.invoice_due_accounts import invoice_due_accounts
from billwright.features.invoicing.rules.manual_line import ManualLine
from billwright.features.invoicing.sql.reads import lines_of, list_invoices
from billwright.features.subscriptions.model import CancellationMode
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.features.subscriptions.operations.foresee_invoice import Upcoming, foresee_invoice
from billwright.features.subscriptions.operations.take_due_steps import take_due_steps
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from tests.conftest import Tenant
from tests.features.billing import a_plan, a_subscription, an_account, in_arrears
from tests.features.refusing import refusing

WORKSHOP = ManualLine(description="Workshop", quantity=Decimal(1), unit_price=Decimal("100.00"))
CHANGING = {"id", "number", "created_at", "updated_at", "finalized_at", "collect_at", "paid_at"}


def said(invoice: Invoice, lines: Any) -> dict[str, Any]:
    """A document without what is given to it only when it is made."""
    values = {name: getattr(invoice, name) for name in Invoice.__slots__}
    left_out = {*CHANGING, "seller_party_id", "buyer_party_id", "series_id"}
    kept = {name: value for name, value in values.items() if name not in left_out}
    return {**kept, "lines": [_line(line) for line in lines]}


def _line(line: InvoiceLine) -> dict[str, Any]:
    return {
        name: getattr(line, name)
        for name in InvoiceLine.__slots__
        if name not in {"id", "invoice_id"}
    }


async def foreseen(tenant: Tenant, account: Account, **of: Any) -> Upcoming:
    async with tenant.tx() as tx:
        return await foresee_invoice(tx, account.id, **of)


async def made_at(tenant: Tenant, clock: Any, at: datetime) -> list[dict[str, Any]]:
    """The documents that the billing run makes at an instant."""
    clock.move_to(at)
    async with tenant.tx() as tx:
        known = {invoice.id for invoice in await list_invoices(tx, before=None, limit=99)}
    async with tenant.tx() as tx:
        while (await take_due_steps(tx, as_of=at, test_clock_id=None)).accounts:
            pass
        await invoice_due_accounts(tx, as_of=at, test_clock_id=None)
    async with tenant.tx() as tx:
        return [
            said(invoice, await lines_of(tx, invoice.id))
            for invoice in await list_invoices(tx, before=None, limit=99)
            if invoice.id not in known
        ]


async def test_a_renewal_is_foreseen_with_tax_and_credit(tenant, clock):
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx)
        started = await a_subscription(tx, account)
        euros = Money(500, currency_of("EUR"))
        await grant_credit(tx, ChangeCredit(account_id=account.id, amount=euros, reason="Sorry"))
    upcoming = await foreseen(tenant, account)
    assert upcoming.at == started.subscription.period.end
    [(invoice, lines)] = upcoming.documents
    # 29.00 and 9.90, with 7.39 of tax (19 %), of which credit pays 5.00.
    assert (invoice.subtotal_minor, invoice.tax_minor) == (3890, 739)
    assert (invoice.credit_applied_minor, invoice.due_minor) == (500, 4129)
    assert (invoice.issued_on, invoice.due_on) == (date(2026, 2, 15), date(2026, 3, 1))
    assert await made_at(tenant, clock, upcoming.at) == [said(invoice, lines)]


async def test_a_billing_day_brings_all_that_is_charged_until_then(tenant, clock):
    async with tenant.tx() as tx:
        await a_plan(tx)
        await a_plan(tx, "hosting", components=(in_arrears("disk", "3.00"),), features=())
        account = await an_account(
            tx, collection=Collection.BILLING_DAY, billing_day=20, zone="UTC"
        )
        await a_subscription(tx, account)
        await a_subscription(tx, account, "hosting")
        await add_charge(tx, AddCharge(account_id=account.id, line=WORKSHOP))
    upcoming = await foreseen(tenant, account)
    assert upcoming.at == datetime(2026, 1, 20, 1, tzinfo=UTC)
    [(invoice, lines)] = upcoming.documents
    assert {line.description for line in lines} >= {"Workshop"}
    assert await made_at(tenant, clock, upcoming.at) == [said(invoice, lines)]


async def test_what_is_owed_in_arrears_is_foreseen_at_the_end_of_the_period(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx, "hosting", components=(in_arrears("disk", "3.00"),), features=())
        account = await an_account(tx)
        trial = await a_subscription(tx, account, "hosting", trial_days=10)
    upcoming = await foreseen(tenant, account)
    # The end of the trial owes nothing; the first invoice comes a month after it.
    assert upcoming.at is not None
    assert upcoming.at - trial.subscription.period.end > timedelta(days=27)
    [(invoice, _)] = upcoming.documents
    assert invoice.subtotal_minor == 300


async def test_a_subscription_is_told_of_the_documents_that_it_is_on(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx)
        first = (await a_subscription(tx, account)).subscription
    async with tenant.tx(now=first.started_at + timedelta(days=3)) as tx:
        second = (await a_subscription(tx, account)).subscription
    of_account = await foreseen(tenant, account)
    of_first = await foreseen(tenant, account, subscription_id=first.id)
    assert of_account.at == of_first.at == first.period.end
    of_second = await foreseen(tenant, account, subscription_id=second.id)
    assert of_second.at == second.period.end
    [(_, lines)] = of_second.documents
    assert {line.subscription_id for line in lines} == {second.id}


async def test_where_nothing_is_to_come_nothing_is_foreseen(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx)
        started = await a_subscription(tx, account)
        await cancel_subscription(
            tx,
            CancelSubscription(
                subscription_id=started.subscription.id, mode=CancellationMode.PERIOD_END
            ),
        )
    assert await foreseen(tenant, account) == Upcoming()
    async with tenant.tx() as tx:
        other = await an_account(tx, name="Other")
        await add_charge(tx, AddCharge(account_id=other.id, line=WORKSHOP))
    waiting = await foreseen(tenant, other)
    [(invoice, _)] = waiting.documents
    assert (waiting.at, invoice.total_minor) == (None, 11900)


async def test_to_foresee_leaves_nothing_behind(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx)
        await a_subscription(tx, account)
    counted = (
        "select count(*), max(i.number), (select max(version) from subscription) from invoice i"
    )
    async with tenant.tx() as tx:
        before = await tx.fetch_row(counted)
    await foreseen(tenant, account)
    async with tenant.tx() as tx:
        assert await tx.fetch_row(counted) == before
        assert (
            await tx.fetch_value("select count(*) from event where type = 'invoice.finalized'") == 1
        )


async def test_what_cannot_be_billed_cannot_be_foreseen(tenant, other_tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        await park_account(tx, account_id=account.id, reason="no rate")
        with refusing("account_parked"):
            await foresee_invoice(tx, account.id)
    async with other_tenant.tx() as tx:
        with refusing("account_unknown"):
            await foresee_invoice(tx, account.id)
