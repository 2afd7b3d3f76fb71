"""Does a billing run that is killed at any moment end with each period billed exactly once?

The moments are random under a seed that a failure shows, so that it can be repeated.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

import billwright.features
from billwright.runtime.clock import FixedClock
from billwright.runtime.db.database import Database
from billwright.runtime.db.embedded import EmbeddedPostgres
from billwright.runtime.db.embedded_process import _processes_in
from billwright.runtime.db.migrate import migrate
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import discover
from tests.conftest import Tenant, make_tenant
from tests.faults.books import check_books
from tests.faults.crowd import a_crowd
from tests.postgres import reachable_folder

ROOT = Path(__file__).parents[2]
LATER = datetime(2026, 5, 1, tzinfo=UTC)  # three boundaries after 15 January
BOUNDARIES = 3
KILLS = 4


@contextmanager
def billing(dsn: str, tenant: Tenant):
    """A process that has just begun to bill."""
    command = [sys.executable, "-m", "tests.faults.billing_child"]
    process = subprocess.Popen(
        [*command, dsn, str(tenant.id), LATER.isoformat()],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            assert process.stdout.readline() == "begin\n"
            yield process
        finally:
            process.kill()


async def invoices(tenant: Tenant) -> int:
    async with tenant.tx() as tx:
        return await tx.fetch_value("select count(*) from invoice")


async def progress(tenant: Tenant, process: subprocess.Popen) -> None:
    """Return when the process has committed something more, or has ended."""
    before = await invoices(tenant)
    # Each look is a query, so that the loop needs no pause of its own.
    while process.poll() is None and await invoices(tenant) == before:
        continue


async def finish(dsn: str, tenant: Tenant) -> None:
    """Run the job to its end, and once more for what a dying session still held."""
    while True:
        with billing(dsn, tenant) as process:
            crossed = await asyncio.to_thread(process.stdout.read)
            assert process.wait() == 0
        if int(crossed.split()[-1]) == 0:
            async with tenant.tx() as tx:
                due = "select count(*) from subscription where next_action_at <= $1"
                if await tx.fetch_value(due, LATER) == 0:
                    return


@pytest.mark.parametrize("seed", [20260115, 20260228])
async def test_kills_of_the_process_that_bills(database, migrated_database, seed):
    tenant, count = await make_tenant(database, "crowd"), 3000
    await a_crowd(tenant, count)
    await check_books(tenant)
    moments = random.Random(seed)
    cut_short = []
    for attempt in range(KILLS):
        with billing(migrated_database, tenant) as process:
            if attempt % 2:  # not before something was committed
                await progress(tenant, process)
            await asyncio.sleep(moments.uniform(0, 0.1))
            process.send_signal(signal.SIGKILL)
            if process.wait() != 0:
                cut_short.append(await invoices(tenant))
    await finish(migrated_database, tenant)
    assert await invoices(tenant) == count * (1 + BOUNDARIES)
    partly = [number for number in cut_short if count < number < count * (1 + BOUNDARIES)]
    assert partly, f"no process was killed in the middle: {cut_short}"
    await check_books(tenant)


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[Database]:
    outbox = QueueOutbox(discover(billwright.features))
    clock = FixedClock(datetime(2026, 1, 15, 12, tzinfo=UTC))
    database = await Database.connect(dsn, outbox=outbox, size=2, clock=clock)
    try:
        yield database
    finally:
        await asyncio.wait_for(database.close(), timeout=10)


def kill_server(home: Path) -> None:
    """Everything at once, as when the power goes."""
    data = next(home.glob("postgres/*/data"))
    for pid in _processes_in(data):
        os.kill(pid, signal.SIGKILL)


async def test_kills_of_the_database_server():
    moments, count = random.Random(20260331), 4000
    with reachable_folder() as folder:
        home = folder / "home"
        with EmbeddedPostgres(home) as server:
            await migrate(server.dsn_for("billwright"))
            async with connected(server.dsn_for("billwright")) as database:
                tenant = await make_tenant(database, "crowd")
                await a_crowd(tenant, count)
        acknowledged, cut_short = count, []
        for _ in range(KILLS):
            with EmbeddedPostgres(home) as server:
                dsn = server.dsn_for("billwright")
                async with connected(dsn) as database:
                    tenant = Tenant(tenant.id, database)
                    assert await invoices(tenant) >= acknowledged
                    with billing(dsn, tenant) as process:
                        await progress(tenant, process)
                        await asyncio.sleep(moments.uniform(0, 0.05))
                        acknowledged = await invoices(tenant)
                        kill_server(home)
                        if await asyncio.to_thread(process.wait, 60) != 0:
                            cut_short.append(acknowledged)
        assert len(cut_short) > 1, "the runs were done before the server was killed"
        with EmbeddedPostgres(home) as server:
            dsn = server.dsn_for("billwright")
            async with connected(dsn) as database:
                tenant = Tenant(tenant.id, database)
                assert await invoices(tenant) >= acknowledged
                await finish(dsn, tenant)
                assert await invoices(tenant) == count * (1 + BOUNDARIES)
                await check_books(tenant)
