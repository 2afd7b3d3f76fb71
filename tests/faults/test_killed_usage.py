"""Is every event counted once when those who tell it are killed at any moment, and tell it again?"""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from billwright.features.usage.model import UsageWindow
from billwright.features.usage.sql.reads import used_quantities
from tests.conftest import NOON, Tenant, make_tenant
from tests.faults.crowd import a_crowd
from tests.faults.usage_child import BATCH, BATCHES, told

ROOT = Path(__file__).parents[2]
KILLS = 5
SUBSCRIPTIONS = 40


@contextmanager
def telling(dsn: str, tenant: Tenant, seed: int):
    """A process that has just had its first batch acknowledged, and what it is told of since."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.usage_child", dsn, str(tenant.id), str(seed)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


async def counted(tenant: Tenant) -> dict[str, tuple[int, int]]:
    """Quantity and events of each subscription, as they would be billed."""
    async with tenant.tx() as tx:
        ids = [row["id"] for row in await tx.fetch("select id from subscription order by id")]
        found = await used_quantities(
            tx,
            [
                UsageWindow(
                    key=key,
                    subscription_id=id_,
                    meter="calls",
                    start=NOON,
                    end=NOON + timedelta(days=1),
                )
                for key, id_ in enumerate(ids)
            ],
            cutoff=None,
        )
    return {ids[key]: (int(used.quantity), used.events) for key, used in found.items()}


async def expected(tenant: Tenant, batches: set[int]) -> dict[str, tuple[int, int]]:
    """What one counts by hand of the batches."""
    async with tenant.tx() as tx:
        ids = [row["id"] for row in await tx.fetch("select id from subscription order by id")]
    totals: dict[str, tuple[int, int]] = {}
    for batch in batches:
        for subject, event in told(ids, batch):
            quantity, events = totals.get(subject.value, (0, 0))
            totals[subject.value] = quantity + int(event.quantity), events + 1
    return totals


async def recorded_batches(tenant: Tenant) -> set[int]:
    """The batches that are there; none is there in part."""
    async with tenant.tx() as tx:
        rows = await tx.fetch(
            "select event_id::int / $1::int as batch, count(*) as n from usage_event group by 1",
            BATCH,
        )
    assert {row["n"] for row in rows} <= {BATCH}
    return {row["batch"] for row in rows}


@pytest.mark.parametrize("seed", [20260115])
async def test_kills_of_those_who_tell(database, migrated_database, seed):
    tenant = await make_tenant(database, "crowd")
    await a_crowd(tenant, SUBSCRIPTIONS)
    moments, acknowledged, cut_short = random.Random(seed), set[int](), 0
    for attempt in range(KILLS):
        with telling(migrated_database, tenant, seed + attempt) as (process, first):
            await asyncio.sleep(moments.uniform(0, 0.25))
            process.send_signal(signal.SIGKILL)
            acknowledged |= {int(line) for line in [first, *process.stdout] if line.endswith("\n")}
            cut_short += process.wait() != 0
        recorded = await recorded_batches(tenant)
        assert acknowledged <= recorded  # what was acknowledged is never lost
        assert await counted(tenant) == await expected(tenant, recorded)
    assert cut_short > 1
    assert 0 < len(acknowledged) < BATCHES, "the processes were killed before or after everything"

    # Two at once tell everything again.
    with (
        telling(migrated_database, tenant, seed) as (one, _),
        telling(migrated_database, tenant, seed + 99) as (other, _),
    ):
        for process in (one, other):
            await asyncio.to_thread(process.stdout.read)
            assert process.wait() == 0
    assert await recorded_batches(tenant) == set(range(BATCHES))
    assert await counted(tenant) == await expected(tenant, set(range(BATCHES)))
