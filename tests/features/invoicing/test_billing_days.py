"""Does every account get its invoice on its billing day, once?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from billwright.features.accounts.events import AccountUpdated
from billwright.features.accounts.model import Collection
from billwright.features.accounts.operations.create_test_clock import create_test_clock
from billwright.features.accounts.operations.update_account import (
    AccountChanges,
    UpdateAccount,
    update_account,
)
from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.invoicing.jobs import invoice_due_accounts
from billwright.features.invoicing.operations.invoice_due_accounts import (
    SETTLING,
    next_billing_day,
)
from billwright.features.invoicing.operations.invoice_pending_charges import (
    INVOICE_PENDING_CHARGES,
)
from billwright.features.invoicing.sql.reads import lines_of, list_invoices, pending_charges
from billwright.runtime.queue.reacting import react
from tests.features.billing import an_account
from tests.features.invoicing.charging import a_charge, billed

# In Berlin the first of February begins an hour before it does in UTC.
FIRST_OF_FEBRUARY = datetime(2026, 1, 31, 23, tzinfo=UTC)
ON_THE_FIRST = {"collection": Collection.BILLING_DAY, "billing_day": 1}


async def collecting(tenant, *amounts: int, **changes):
    async with tenant.tx() as tx:
        account = await an_account(tx, **ON_THE_FIRST, **changes)
        for amount in amounts:
            await billed(tx, account, a_charge(amount))
        return account


async def run(tenant, clock, at: datetime) -> int:
    clock.move_to(at)
    return await invoice_due_accounts(tenant.work(as_of=at))


async def invoices(tenant, account):
    async with tenant.tx() as tx:
        found = await list_invoices(tx, before=None, limit=9, account_id=account.id)
        return [[line.amount_minor for line in await lines_of(tx, invoice.id)] for invoice in found]


async def test_what_was_collected_comes_on_one_invoice_an_hour_after_the_day_begins(tenant, clock):
    account = await collecting(tenant, 1000, 2000)
    assert await run(tenant, clock, FIRST_OF_FEBRUARY + SETTLING - timedelta(seconds=1)) == 0
    assert await run(tenant, clock, FIRST_OF_FEBRUARY + SETTLING) == 1
    assert await invoices(tenant, account) == [[1000, 2000]]
    # Once, and then not before the first of March.
    assert await run(tenant, clock, FIRST_OF_FEBRUARY + timedelta(days=20)) == 0
    async with tenant.tx() as tx:
        account = await account_by_id(tx, account.id)
    assert account.next_invoice_at == datetime(2026, 2, 28, 23, tzinfo=UTC)


async def test_less_than_the_minimum_goes_on_waiting(tenant, clock):
    async with tenant.tx() as tx:
        await tx.execute("""update seller set minimum_invoice = '{"EUR": 1500}'""")
    account = await collecting(tenant, 1000)
    assert await run(tenant, clock, FIRST_OF_FEBRUARY + SETTLING) == 1
    assert await invoices(tenant, account) == []
    async with tenant.tx() as tx:
        await billed(tx, account, a_charge(500))
    await run(tenant, clock, datetime(2026, 3, 2, tzinfo=UTC))
    assert await invoices(tenant, account) == [[1000, 500]]


async def test_what_cannot_be_billed_parks_its_account_and_no_other(tenant, clock):
    good, bad = await collecting(tenant, 1000), await collecting(tenant, 2000)
    async with tenant.tx() as tx:
        await tx.execute(
            "update charge set tax_category = 'unheard_of' where account_id = $1", bad.id
        )
    at = FIRST_OF_FEBRUARY + SETTLING
    assert await run(tenant, clock, at) == 2
    assert await run(tenant, clock, at) == 0
    assert await invoices(tenant, good) == [[1000]]
    async with tenant.tx() as tx:
        parked = await account_by_id(tx, bad.id)
        assert len(await pending_charges(tx, [bad.id])) == 1
    assert "unheard_of" in (parked.parked_reason or "")
    # Its day is still to be worked off when a person lets it go on.
    assert parked.next_invoice_at == FIRST_OF_FEBRUARY


async def test_workers_share_the_accounts(tenant, clock):
    accounts = [await collecting(tenant, 1000) for _ in range(6)]
    clock.move_to(FIRST_OF_FEBRUARY + SETTLING)
    work = tenant.work(as_of=clock.now())
    done = await asyncio.gather(*(invoice_due_accounts(work) for _ in range(3)))
    assert sum(done) == 6
    for account in accounts:
        assert await invoices(tenant, account) == [[1000]]


async def test_a_test_clock_says_when_its_accounts_are_due(tenant, clock):
    async with tenant.tx() as tx:
        test_clock = await create_test_clock(tx, name="Years ahead", now=clock.now())
        assert await next_billing_day(tx, test_clock.id) is None
    account = await collecting(tenant, 1000, test_clock_id=test_clock.id)
    async with tenant.tx() as tx:
        due = await next_billing_day(tx, test_clock.id)
    assert due == FIRST_OF_FEBRUARY + SETTLING
    # The machine's time is not its own.
    assert await run(tenant, clock, due + timedelta(days=1)) == 0
    assert await invoices(tenant, account) == []
    await invoice_due_accounts(replace(tenant.work(as_of=due), test_clock_id=test_clock.id))
    async with tenant.tx() as tx:
        (invoice,) = await list_invoices(tx, before=None, limit=9)
    assert (invoice.created_at, invoice.issued_on) == (due, date(2026, 2, 1))


async def test_without_a_billing_day_what_waited_is_invoiced(tenant, registry):
    account = await collecting(tenant, 1000, 500)
    changes = AccountChanges(collection=Collection.IMMEDIATE)
    async with tenant.tx() as tx:
        await update_account(tx, UpdateAccount(account_id=account.id, changes=changes))
        ids = [str(event_id) for event_id, _, event in tx.events if type(event) is AccountUpdated]
    payload = {"reaction": "invoice_after_change", "events": ids}
    await react(tenant.database, registry, tenant_id=tenant.id, payload=payload)
    # What the reaction asks for, twice: jobs run at least once.
    (job,) = [one for one in registry.jobs if one.name == INVOICE_PENDING_CHARGES]
    for _ in range(2):
        await job.run(tenant.work(), {"account_id": str(account.id)})
    assert await invoices(tenant, account) == [[1000, 500]]
    assert INVOICE_PENDING_CHARGES in await waiting_jobs(tenant)


async def waiting_jobs(tenant) -> list[str]:
    rows = await tenant.database.unscoped("select entrypoint from queue.pgqueuer")
    return [row["entrypoint"] for row in rows]
