"""Do workers and commands that meet on the same subscriptions bill each period exactly once?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.model import CancellationMode
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.features.subscriptions.operations.take_due_steps import (
    take_due_steps as renew_batch,
)
from billwright.kernel.refusal import Refusal
from billwright.runtime.clock import FixedClock
from billwright.runtime.db.database import Database
from billwright.runtime.queue.outbox import QueueOutbox
from tests.conftest import Tenant
from tests.faults.books import check_books
from tests.features.billing import a_plan, a_subscription, an_account, in_arrears

LATER = datetime(2026, 4, 1, tzinfo=UTC)  # two boundaries after 15 January


_MODES = [CancellationMode.NOW, CancellationMode.PERIOD_END]


async def subscribers(tenant: Tenant, count: int) -> list:
    async with tenant.tx() as tx:
        await a_plan(tx, "storage", components=(in_arrears("storage", "3.10"),))
        await a_plan(tx)
        started = []
        for number in range(count):
            account = await an_account(tx)
            seats = {"seats": Decimal(number % 7)}
            started.append((await a_subscription(tx, account, quantities=seats)).subscription)
            if number % 5 == 0:
                started.append((await a_subscription(tx, account, "storage")).subscription)
    return started


async def test_two_runs_over_many_accounts_bill_each_once(
    tenant, clock, migrated_database, registry
):
    started = await subscribers(tenant, 60)
    clock.move_to(LATER)
    other = await Database.connect(
        migrated_database, outbox=QueueOutbox(registry), size=3, clock=FixedClock(LATER)
    )

    async def small_batches(own: Tenant) -> int:
        crossed = 0
        while True:
            async with own.tx() as tx:
                report = await renew_batch(tx, as_of=LATER, test_clock_id=None, batch_size=7)
            if not report.accounts:
                return crossed
            assert report.parked == ()
            crossed += report.steps

    try:
        owners = [tenant, Tenant(tenant.id, other)]
        crossed = await asyncio.gather(*(small_batches(owner) for owner in owners * 2))
    finally:
        await other.close()
    # What one run passed over because another held it, the next run takes.
    late = await renew_due_subscriptions(tenant.work())
    assert sum(crossed) + late == 2 * len(started)
    assert sum(1 for part in crossed if part) > 1
    assert await renew_due_subscriptions(tenant.work()) == 0
    await check_books(tenant)


async def test_a_run_passes_over_an_account_that_a_command_holds(tenant, clock):
    started = await subscribers(tenant, 2)
    clock.move_to(LATER)
    async with tenant.tx() as tx:
        await tx.execute(
            "select from account where id = $1 for no key update", started[0].account_id
        )
        await renew_due_subscriptions(tenant.work())
        waiting = await tx.fetch(
            "select distinct account_id from subscription where next_action_at <= $1", LATER
        )
    assert [row["account_id"] for row in waiting] == [started[0].account_id]
    await renew_due_subscriptions(tenant.work())
    await check_books(tenant)


async def test_cancellations_during_a_run_leave_the_books_right(tenant, clock):
    started = await subscribers(tenant, 30)
    clock.move_to(LATER)

    async def cancel(subscription, mode: CancellationMode) -> None:
        command = CancelSubscription(subscription_id=subscription.id, mode=mode)
        async with tenant.tx() as tx:
            await cancel_subscription(tx, command)

    await asyncio.gather(
        *(
            cancel(subscription, mode)
            for subscription, mode in zip(started[::2], _MODES * 30, strict=False)
        ),
        renew_due_subscriptions(tenant.work()),
    )
    await renew_due_subscriptions(tenant.work())
    await check_books(tenant)
    async with tenant.tx() as tx:
        states = await tx.fetch(
            """select state, cancel_at is not null as canceling, period_index, count(*)
               from subscription group by 1, 2, 3"""
        )
    assert {row["period_index"] for row in states} == {2}
    assert sum(row["count"] for row in states if row["canceling"]) == len(started[::2])


async def test_one_of_two_cancellations_is_refused_and_one_end_is_told(tenant):
    (subscription, *_) = await subscribers(tenant, 1)
    command = CancelSubscription(
        subscription_id=subscription.id, mode=CancellationMode.NOW, expected_version=1
    )

    async def cancel() -> str:
        try:
            async with tenant.tx() as tx:
                await cancel_subscription(tx, command)
        except Refusal as refusal:
            return refusal.code
        return "done"

    assert sorted(await asyncio.gather(*(cancel() for _ in range(4)))) == [
        "done",
        *["version_stale"] * 3,
    ]
    async with tenant.tx() as tx:
        told = "select count(*) from event where type = 'subscription.canceled'"
        assert await tx.fetch_value(told) == 1
