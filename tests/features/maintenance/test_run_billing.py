"""Does a billing run report what it does, and a rehearsal what it would do?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from billwright.features.accounts.model import Collection
from billwright.features.invoicing.model import DocumentKind
from billwright.features.maintenance.operations import run_billing as running
from billwright.features.maintenance.operations.run_billing import (
    BillingReport,
    rehearse_billing,
    run_billing,
)
from billwright.features.subscriptions.operations import take_all_due_steps, take_due_steps
from billwright.kernel.actor import system_actor
from tests.features.billing import a_plan, a_subscription, an_account, in_arrears

INVOICE_EUR = (DocumentKind.INVOICE, "EUR")
# Everybody began on 15 January: two renewals are due, on 15 February and 15 March.
AS_OF = datetime(2026, 3, 20, tzinfo=UTC)


async def run(tenant) -> BillingReport:
    return await run_billing(tenant.tx, as_of=AS_OF, on_batch=lambda _report: None)


async def rehearse(tenant) -> BillingReport:
    def rehearsing():
        return tenant.database.rehearsal(tenant.id, actor=system_actor("test"), cause="test")

    return await rehearse_billing(rehearsing, as_of=AS_OF, on_batch=lambda _report: None)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch) -> None:
    """So that a few accounts need several batches."""
    monkeypatch.setattr(take_all_due_steps, "BATCH_SIZE", 2)
    monkeypatch.setattr(take_due_steps.take_due_steps, "__kwdefaults__", {"batch_size": 2})
    monkeypatch.setattr(take_due_steps.claim_accounts_after, "__kwdefaults__", {"limit": 2})
    monkeypatch.setattr(running, "BATCH_SIZE", 2)


async def subscribers(tenant, **changes) -> list:
    """Five that are invoiced at once, and two on the first of the month."""
    async with tenant.tx() as tx:
        await a_plan(tx, components=(in_arrears("storage", "10.00"),), **changes)
        accounts = [await an_account(tx) for _ in range(5)]
        accounts += [
            await an_account(tx, collection=Collection.BILLING_DAY, billing_day=1) for _ in range(2)
        ]
        for account in accounts:
            await a_subscription(tx, account)
    return accounts


async def everything(tenant) -> dict[str, int]:
    """How many rows each table has, as far as a run writes them."""
    names = ("invoice", "charge", "event", "audit_entry", "invoice_number", "credit_entry")
    async with tenant.tx() as tx:
        return {name: await tx.fetch_value(f"select count(*) from {name}") for name in names}


async def test_a_rehearsal_says_what_the_run_does_and_leaves_nothing(tenant, clock):
    await subscribers(tenant)
    clock.move_to(AS_OF)
    before = await everything(tenant)
    rehearsed = await rehearse(tenant)
    assert await everything(tenant) == before
    done = await run(tenant)
    # Five accounts get two invoices of 11.90. The other two missed their first of March: both periods
    # of each are on one invoice of 23.80.
    assert rehearsed == done
    assert done.steps == 14
    assert done.documents == {INVOICE_EUR: 5 * 2 + 2}
    assert done.totals == {INVOICE_EUR: 14 * 1190}
    assert done.pending == 4
    assert done.parked == {}


async def test_a_second_run_finds_nothing(tenant, clock):
    await subscribers(tenant)
    clock.move_to(AS_OF)
    await run(tenant)
    before = await everything(tenant)
    assert await run(tenant) == await rehearse(tenant) == BillingReport()
    assert await everything(tenant) == before


async def test_an_account_that_cannot_be_billed_is_reported_with_the_reason(tenant, clock):
    accounts = await subscribers(tenant)
    async with tenant.tx() as tx:
        await tx.execute(
            "update account set zone = 'Mars/Base' where id = any($1::uuid[])",
            [accounts[0].id, accounts[-1].id],
        )
    clock.move_to(AS_OF)
    rehearsed = await rehearse(tenant)
    done = await run(tenant)
    assert set(rehearsed.parked) == set(done.parked) == {accounts[0].id, accounts[-1].id}
    assert "Mars/Base" in done.parked[accounts[0].id]
    assert rehearsed.documents == done.documents == {INVOICE_EUR: 4 * 2 + 1}


async def test_a_run_that_is_cut_off_is_ended_by_the_next(tenant, clock, monkeypatch):
    await subscribers(tenant)
    clock.move_to(AS_OF)
    real, calls = take_all_due_steps.take_due_steps, 0

    async def fail_at_the_third(tx, **options):
        nonlocal calls
        calls += 1
        if calls == 3:
            raise ConnectionError("cut off")
        return await real(tx, **options)

    monkeypatch.setattr(take_all_due_steps, "take_due_steps", fail_at_the_third)
    with pytest.raises(ConnectionError):
        await run(tenant)
    monkeypatch.setattr(take_all_due_steps, "take_due_steps", real)
    await run(tenant)
    async with tenant.tx() as tx:
        charged = await tx.fetch_value("select count(*) from charge where invoice_id is not null")
    assert charged == 14


async def test_another_tenants_accounts_are_left_alone(tenant, other_tenant, clock):
    await subscribers(tenant)
    clock.move_to(AS_OF)
    assert await run(other_tenant) == BillingReport()
