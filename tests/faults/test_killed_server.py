"""Is what a server has acknowledged there once, when it is killed while many tell it of usage?"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest

from billwright.features.identity.model import FULL_ACCESS
from billwright.features.identity.operations.create_api_key import create_api_key
from tests.conftest import NOON, Tenant
from tests.entrypoints.installation import COMMAND, environment, eventually, free_port
from tests.faults.crowd import a_crowd

pytestmark = pytest.mark.timeout(300)

SUBSCRIPTIONS, EVENTS, AT_ONCE = 8, 4000, 24


@contextmanager
def serving(home: Path, dsn: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A process that answers, and its address."""
    port = free_port()
    variables = {"DATABASE_URL": dsn, "PORT": str(port)}
    process = subprocess.Popen(
        [COMMAND, "api"], env=environment(home, **variables), stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}/api/billing"
    try:
        assert eventually(lambda: _answers(address))
        yield process, address
    finally:
        process.kill()
        process.wait()


def _answers(address: str) -> bool:
    with suppress(httpx2.TransportError):
        return httpx2.get(f"{address}/problems").status_code > 0
    return False


def client_of(address: str, key: str) -> httpx2.AsyncClient:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx2.AsyncClient(base_url=address, headers=headers, timeout=60)


async def tell(
    client: httpx2.AsyncClient, subscription_ids: list[str], numbers: Iterable[int]
) -> dict[int, str]:
    """Tell of events, one in a request; what became of each that was answered."""
    left, told = iter(numbers), dict[int, str]()

    async def go_on() -> None:
        for number in left:
            event = {
                "id": str(number),
                "type": "calls",
                "time": NOON.isoformat(),
                "quantity": str(1 + number % 7),
                "subscription_id": subscription_ids[number % SUBSCRIPTIONS],
            }
            try:
                answer = await client.post("/usage", json={"events": [event]})
            except httpx2.TransportError:
                return
            assert answer.status_code == 200, answer.text
            told[number] = answer.json()["events"][0]["status"]

    await asyncio.gather(*(go_on() for _ in range(AT_ONCE)))
    return told


async def test_what_a_killed_server_acknowledged_is_there_once(
    tenant: Tenant, migrated_database: str, tmp_path: Path
):
    await a_crowd(tenant, SUBSCRIPTIONS)
    async with tenant.tx() as tx:
        key = (await create_api_key(tx, name="platform", scopes=(FULL_ACCESS,))).text
        rows = await tx.fetch("select id from subscription order by id")
    ids = [str(row["id"]) for row in rows]
    with serving(tmp_path / "home", migrated_database) as (process, address):
        async with client_of(address, key) as client:
            telling = asyncio.create_task(tell(client, ids, range(EVENTS)))
            await until_recorded(tenant, 100)
            process.kill()
            acknowledged = await telling
    assert set(acknowledged.values()) == {"recorded"}
    assert 0 < len(acknowledged) < EVENTS, "the server was killed before or after everything"

    # Each that told had one more on its way at most.
    highest = max(acknowledged) + AT_ONCE + 1
    with serving(tmp_path / "home", migrated_database) as (_, address):
        async with client_of(address, key) as client:
            again = await tell(client, ids, range(highest))
    assert all(again[number] == "repeated" for number in acknowledged)
    async with tenant.tx() as tx:
        events = await tx.fetch_value("select count(*) from usage_event")
        totals = await tx.fetch(
            "select subscription_id, quantity, events from usage_total order by subscription_id"
        )
    assert events == highest
    assert [tuple(row) for row in totals] == [
        (row["id"], Decimal(sum(1 + number % 7 for number in own)), len(own))
        for place, row in enumerate(rows)
        for own in [range(place, highest, SUBSCRIPTIONS)]
    ]


async def until_recorded(tenant: Tenant, count: int) -> None:
    async with asyncio.timeout(60), tenant.tx() as tx:
        while await tx.fetch_value("select count(*) from usage_event") < count:
            await tx.execute("select pg_sleep(0.01)")
