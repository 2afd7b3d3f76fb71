"""Does a database that is brought up to date know what it would know had it always been so?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from importlib.resources import files
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.model import CancellationFeedback, CancellationMode
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.features.subscriptions.operations.set_renewal import SetRenewal, set_renewal
from billwright.kernel.calendar import Interval, IntervalUnit
from billwright.runtime.db.database import Database
from billwright.runtime.db.migrate import migrate
from billwright.runtime.queue.outbox import QueueOutbox
from tests.conftest import NOON, Tenant, make_tenant
from tests.features.billing import a_plan, a_subscription, an_account

_FORGET = """
    delete from trial_redemption;
    delete from cancellation;
    alter table subscription drop constraint subscription_trial_is_known;
    update subscription set trial_original_end = null, trial_state = null, cancellation_mode = null,
        reminder_at = null;
"""
_TABLES = {
    "trial_redemption": "plan_code, account_id, email_key, subscription_id",
    "cancellation": """subscription_id, plan_code, state, mode, cancel_at, reason, feedback, comment,
        proration, bills_final_usage, requested_at, undone_at, effective_at""",
    "subscription": "id, trial_original_end, trial_state, cancellation_mode, reminder_at",
}


@pytest.fixture
def own_database(postgres_server, database_names) -> Iterator[str]:
    name = next(database_names)
    yield postgres_server.fresh_database(name)
    postgres_server.drop_database(name)


@pytest_asyncio.fixture
async def seller(own_database, registry, clock) -> AsyncIterator[Tenant]:
    await migrate(own_database)
    database = await Database.connect(
        own_database, outbox=QueueOutbox(registry), size=5, clock=clock
    )
    try:
        yield await make_tenant(database, "test")
    finally:
        await database.close()


def statements() -> list[str]:
    """What the migration does to the rows that are there."""
    folder = files("billwright.runtime.db.migrations")
    text = folder.joinpath("sql", "0008_trials.sql").read_text()
    plain = "\n".join(line.partition("--")[0].rstrip() for line in text.splitlines())
    parts = [part.strip() for part in plain.split(";\n")]
    return [part for part in parts if part.startswith(("update ", "insert "))]


async def known(connection: Any) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: sorted(
            (tuple(row) for row in await connection.fetch(f"select {columns} from {table}")),
            key=str,
        )
        for table, columns in _TABLES.items()
    }


async def a_past(seller: Tenant, clock: Any) -> None:
    """Trials in every state, ends of every kind, short and long periods."""
    lengths = {"year": Interval(IntervalUnit.YEAR), "half": Interval(IntervalUnit.MONTH, 6)}
    async with seller.tx() as tx:
        await a_plan(tx)
        for code, interval in lengths.items():
            await a_plan(tx, code, interval=interval)
        accounts = [
            await an_account(tx, email=f"J.o{number}+a@{host}")
            for number, host in enumerate(
                ["GMAIL.com", "riverbank.example", "googlemail.com", "a.example", "b.example"]
            )
        ]
        begun = [
            (await a_subscription(tx, accounts[0], trial_days=14)).subscription,
            (await a_subscription(tx, accounts[1], trial_days=40)).subscription,
            (await a_subscription(tx, accounts[2], trial_days=40)).subscription,
            (await a_subscription(tx, accounts[3], trial_days=14)).subscription,
            (await a_subscription(tx, accounts[3], "year")).subscription,
            (await a_subscription(tx, accounts[3], "half")).subscription,
            (await a_subscription(tx, accounts[3])).subscription,
            (await a_subscription(tx, accounts[4], trial_days=33)).subscription,
        ]
        await set_renewal(tx, SetRenewal(subscription_id=begun[3].id, renews=False))
    clock.move_to(NOON + timedelta(days=31))
    await renew_due_subscriptions(seller.work())
    ends = [(begun[2], CancellationMode.NOW), (begun[5], CancellationMode.PERIOD_END)]
    for subscription, mode in ends:
        async with seller.tx() as tx:
            await cancel_subscription(
                tx,
                CancelSubscription(
                    subscription_id=subscription.id,
                    mode=mode,
                    feedback=CancellationFeedback.UNUSED,
                    comment="Bye.",
                ),
            )


async def test_the_past_is_told_as_it_would_have_been_kept(own_database, seller, clock):
    await a_past(seller, clock)
    connection = await asyncpg.connect(own_database)
    try:
        kept = await known(connection)
        await connection.execute(_FORGET)
        for statement in statements():
            await connection.execute(statement)
        told = await known(connection)
    finally:
        await connection.close()
    assert [len(rows) for rows in kept.values()] == [5, 3, 8]
    assert told == kept
