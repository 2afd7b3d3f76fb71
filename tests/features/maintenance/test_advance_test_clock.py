"""Is a year on a test clock the year that would have been?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from billwright.features.accounts.operations.create_test_clock import create_test_clock
from billwright.features.accounts.operations.request_test_clock_advance import (
    request_test_clock_advance,
)
from billwright.features.accounts.sql.reads import test_clock_by_id as clock_by_id
from billwright.features.invoicing.sql.reads import lines_of, list_invoices
from billwright.features.maintenance.jobs import forget_expired_idempotency_keys
from billwright.features.maintenance.operations.advance_test_clock import advance_test_clock
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.model import CancellationMode
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.errors import busy
from billwright.runtime.db.idempotency import NamedRequest, StoredResponse, claim, store
from billwright.runtime.queue.registry import Sweep
from tests.conftest import make_tenant
from tests.faults.books import check_books
from tests.features.billing import a_plan, a_subscription, an_account, in_arrears
from tests.only_commands import allow_writing_by_hand

BEGAN = datetime(2026, 1, 31, 9, tzinfo=UTC)
ENDS = datetime(2027, 1, 31, 9, tzinfo=UTC)


async def customer(tenant, *, on_clock: bool = True):
    """Two plans in an account: one in advance, one with something in arrears. Returns the clock."""
    async with tenant.tx() as tx:
        await a_plan(tx)
        await a_plan(tx, "storage", components=(in_arrears("storage", "3.10"),))
    async with tenant.tx() as tx:
        clock_id = (await create_test_clock(tx, name="year", now=BEGAN)).id if on_clock else None
        # Nothing is paid here, and nobody is to be pursued for it.
        account = await an_account(tx, test_clock_id=clock_id, payment_terms_days=365)
        await a_subscription(tx, account, quantities={"seats": Decimal(3)})
        await a_subscription(tx, account, "storage")
    return clock_id


async def advance(tenant, registry, clock_id, target: datetime, **work):
    async with tenant.tx() as tx:
        await request_test_clock_advance(tx, test_clock_id=clock_id, target=target)
    await run(tenant, registry, clock_id, **work)
    async with tenant.tx() as tx:
        return await clock_by_id(tx, clock_id)


async def run(tenant, registry, clock_id, **work) -> None:
    values = {"sweeps": registry.sweeps, **work}
    await advance_test_clock(
        replace(tenant.work("advance_test_clock"), **values), {"test_clock_id": str(clock_id)}
    )


def the_renewal(registry) -> Sweep:
    (renewal,) = [each for each in registry.sweeps if each.run is renew_due_subscriptions]
    return renewal


async def invoices_of(tenant) -> list:
    """What was billed, to the last digit, without ids."""
    async with tenant.tx() as tx:
        return [
            (
                invoice.number,
                invoice.issued_on,
                invoice.due_on,
                invoice.finalized_at,
                invoice.subtotal_minor,
                invoice.tax_minor,
                invoice.reference,
                [
                    replace(line, id=None, subscription_id=None, plan_component_id=None)
                    for line in await lines_of(tx, invoice.id)
                ],
            )
            for invoice in (await list_invoices(tx, before=None, limit=99))[::-1]
        ]


async def test_one_call_equals_month_by_month_equals_the_real_schedule(database, clock, registry):
    at_once = await make_tenant(database, "at_once")
    stepwise = await make_tenant(database, "stepwise")
    really = await make_tenant(database, "really")

    arrived = await advance(at_once, registry, await customer(at_once), ENDS)
    assert (arrived.state, arrived.now, arrived.target) == ("ready", ENDS, None)

    clock_id = await customer(stepwise)
    for month in range(1, 13):
        target = BEGAN + (ENDS - BEGAN) * month / 12
        assert (await advance(stepwise, registry, clock_id, target)).now == target

    clock.move_to(BEGAN)
    await customer(really, on_clock=False)
    while clock.now() < ENDS:
        clock.move_to(clock.now() + timedelta(hours=1))
        if clock.now().day in {1, 28, 29, 30, 31}:
            await renew_due_subscriptions(really.work())

    billed = await invoices_of(at_once)
    # One at the start, for what runs in advance, and one at each of twelve boundaries.
    assert len(billed) == 13
    assert await invoices_of(stepwise) == billed
    assert await invoices_of(really) == billed
    for tenant in (at_once, stepwise, really):
        await check_books(tenant)


async def test_accounts_in_real_time_and_on_other_clocks_stay_where_they_are(tenant, registry):
    moved, other = await customer(tenant), None
    async with tenant.tx() as tx:
        other = (await create_test_clock(tx, name="other", now=BEGAN)).id
        on_other = await an_account(tx, test_clock_id=other)
        await a_subscription(tx, on_other)
    async with tenant.tx() as tx:
        real = await an_account(tx)
        await a_subscription(tx, real)
    await advance(tenant, registry, moved, ENDS)
    async with tenant.tx() as tx:
        for account in (on_other, real):
            assert len(await list_invoices(tx, before=None, limit=9, account_id=account.id)) == 1
        assert (await clock_by_id(tx, other)).now == BEGAN


async def test_the_real_schedule_leaves_accounts_on_clocks_alone(tenant, clock):
    await customer(tenant)
    clock.move_to(ENDS)
    assert await renew_due_subscriptions(tenant.work()) == 0


async def test_commands_on_the_way_take_place_at_the_time_of_the_clock(tenant, registry):
    clock_id = await customer(tenant)
    await advance(tenant, registry, clock_id, BEGAN + timedelta(days=40))
    async with tenant.tx() as tx:
        subscription_id = await tx.fetch_value("select id from subscription order by id limit 1")
    command = CancelSubscription(subscription_id=subscription_id, mode=CancellationMode.PERIOD_END)
    async with tenant.tx() as tx:
        scheduled = (await cancel_subscription(tx, command)).subscription
    assert scheduled.cancellation.requested_at == BEGAN + timedelta(days=40)
    await advance(tenant, registry, clock_id, ENDS)
    async with tenant.tx() as tx:
        ended_at = await tx.fetch_value("select ended_at from subscription order by id limit 1")
    assert ended_at == scheduled.cancellation.at == datetime(2026, 3, 31, 8, tzinfo=UTC)
    await check_books(tenant)


async def test_a_repeated_job_goes_on_where_a_killed_one_stopped(tenant, registry):
    clock_id = await customer(tenant)
    steps = 0

    async def dies_on_the_way(work) -> int:
        nonlocal steps
        steps += 1
        if steps == 5:
            raise SystemExit
        return await renew_due_subscriptions(work)

    renewal = the_renewal(registry)
    with pytest.raises(SystemExit):
        await advance(
            tenant, registry, clock_id, ENDS, sweeps=(replace(renewal, run=dies_on_the_way),)
        )
    async with tenant.tx() as tx:
        assert (await clock_by_id(tx, clock_id)).state == "advancing"
    for _ in range(2):
        await run(tenant, registry, clock_id)
    async with tenant.tx() as tx:
        assert (await clock_by_id(tx, clock_id)).now == ENDS
    assert len(await invoices_of(tenant)) == 13
    await check_books(tenant)


async def test_what_stays_due_fails_the_clock_with_a_reason(tenant, registry):
    clock_id = await customer(tenant)

    async def nothing(_work) -> int:
        return 0

    async def always(_tx, _clock_id) -> datetime:
        return BEGAN + timedelta(days=1)

    stuck = await advance(
        tenant, registry, clock_id, ENDS, sweeps=(Sweep("stuck", "* * * * *", nothing, always),)
    )
    assert (stuck.state, stuck.now) == ("failed", BEGAN + timedelta(days=1))
    assert "stays so" in stuck.failure
    assert (await advance(tenant, registry, clock_id, ENDS)).state == "ready"
    assert len(await invoices_of(tenant)) == 13


async def test_a_passing_refusal_is_left_to_the_queue_and_another_fails_the_clock(tenant, registry):
    clock_id = await customer(tenant)
    renewal = the_renewal(registry)

    async def refuses(_work) -> int:
        raise busy()

    with pytest.raises(Refusal):
        await advance(tenant, registry, clock_id, ENDS, sweeps=(replace(renewal, run=refuses),))
    async with tenant.tx() as tx:
        assert (await clock_by_id(tx, clock_id)).state == "advancing"
    await run(tenant, registry, clock_id)
    assert len(await invoices_of(tenant)) == 13


async def test_an_account_that_a_command_holds_for_a_moment_does_not_fail_the_clock(
    tenant, registry
):
    clock_id = await customer(tenant)
    held = asyncio.Event()

    async def hold() -> None:
        async with tenant.tx() as tx:
            await tx.execute("select from account for no key update")
            held.set()
            await asyncio.sleep(0.5)

    holding = asyncio.create_task(hold())
    await held.wait()
    arrived = await advance(tenant, registry, clock_id, ENDS)
    await holding
    assert (arrived.state, arrived.failure) == ("ready", None)
    assert len(await invoices_of(tenant)) == 13


async def test_a_parked_account_does_not_stop_its_clock(tenant, registry):
    clock_id = await customer(tenant)
    async with tenant.tx() as tx:
        await allow_writing_by_hand(tx)
        await tx.execute("update subscription set currency = 'USD'")
    arrived = await advance(tenant, registry, clock_id, ENDS)
    assert (arrived.state, arrived.now) == ("ready", ENDS)
    async with tenant.tx() as tx:
        assert await tx.fetch_value("select parked_reason is not null from account")
        assert await tx.fetch_value("select count(*) from invoice") == 1


async def test_a_clock_that_is_not_advancing_is_left_alone(tenant, registry):
    clock_id = await customer(tenant)
    await run(tenant, registry, clock_id)
    async with tenant.tx() as tx:
        assert (await clock_by_id(tx, clock_id)).now == BEGAN


async def test_expired_idempotency_keys_are_forgotten_and_only_they(tenant, other_tenant, clock):
    for owner in (tenant, other_tenant):
        for key in ("old", "young"):
            request = NamedRequest(key=key, digest=b"d", operation="o")
            async with owner.tx() as tx:
                assert await claim(tx, request) is None
                await store(tx, request, response=StoredResponse(201, b"{}"))
            clock.move_to(clock.now() + timedelta(hours=1))
    async with tenant.tx() as tx:
        first = await tx.fetch_value("select min(expires_at) from idempotency_key")
    clock.move_to(first)
    assert await forget_expired_idempotency_keys(tenant.work()) == 1
    assert await forget_expired_idempotency_keys(tenant.work()) == 0
    for owner, left in ((tenant, ["young"]), (other_tenant, ["old", "young"])):
        async with owner.tx() as tx:
            keys = await tx.fetch("select key from idempotency_key order by key")
        assert [row["key"] for row in keys] == left
