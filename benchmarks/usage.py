"""How much usage does one process record over HTTP?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from time import perf_counter
from uuid import UUID

import asyncpg

from benchmarks.answers import Rounds
from benchmarks.database import migrated_database
from benchmarks.load import Task, measure
from benchmarks.portfolio import BEGINNING, create_portfolio
from benchmarks.results import Row, rate
from benchmarks.serving import api_server, static_server
from billwright.features.identity.model import FULL_ACCESS
from billwright.features.identity.operations.create_api_key import create_api_key
from billwright.runtime.db.embedded import EmbeddedPostgres

SUBSCRIPTIONS = 100
BATCH = 1000
_BATCH_CONNECTIONS, _SINGLE_CONNECTIONS = 4, 32


def recorded_usage(server: EmbeddedPostgres, *, home: Path, rounds: Rounds) -> list[Row]:
    """Events of a hundred subscriptions, a thousand in a request and one in a request, each new.

    A batch is mostly the database's work, and a single event mostly the server program's; each has the
    ceiling of that. Ceiling and product are measured in turn and with as many connections, so that what
    else happens on the machine meets both; the round with the middle ratio counts.
    """
    dsn = migrated_database(server, "usage")
    api_key, subscription_ids = asyncio.run(_portfolio(dsn))
    with static_server() as raw_port, api_server(dsn, home=home) as port:
        static = Task(
            raw_port,
            ["/"],
            warm_seconds=rounds.warm_seconds,
            seconds=rounds.seconds,
            connections=_SINGLE_CONNECTIONS,
        )
        single = replace(
            static,
            port=port,
            paths=["/api/billing/usage"],
            headers=[f"Authorization: Bearer {api_key}"],
            body=_body(["#"], events=1),
            names=[str(one) for one in subscription_ids],
        )
        body = _body(single.names, events=BATCH)
        batch = replace(single, connections=_BATCH_CONNECTIONS, body=body)
        batches = [_batch_round(dsn, batch) for _ in range(rounds.count)]
        singles = [
            (measure(static).per_second, measure(single).per_second) for _ in range(rounds.count)
        ]
    return [
        _row("usage batch", batches, ceiling_name="a raw insert that recognizes repetitions"),
        _row("usage single", singles, ceiling_name="11 bytes from the raw server"),
    ]


def _batch_round(dsn: str, batch: Task) -> tuple[float, float]:
    """Events per second of the raw insert and of the product."""
    raw = asyncio.run(_raw_events_per_second(dsn, seconds=batch.seconds))
    return raw, measure(batch).per_second * BATCH


def _row(name: str, measured: Sequence[tuple[float, float]], *, ceiling_name: str) -> Row:
    ceiling, product = sorted(measured, key=lambda each: each[1] / each[0])[len(measured) // 2]
    return rate(name, product, unit="events/s", ceiling=ceiling, ceiling_name=ceiling_name)


def _body(subscription_ids: Sequence[str], *, events: int) -> str:
    return json.dumps(
        {
            "events": [
                {
                    "id": f"request-@-{number}",
                    "type": "api.request",
                    "time": (BEGINNING + timedelta(seconds=number)).isoformat(),
                    "quantity": str(1 + number % 7),
                    "subscription_id": subscription_ids[number % len(subscription_ids)],
                }
                for number in range(events)
            ]
        }
    )


async def _portfolio(dsn: str) -> tuple[str, Sequence[UUID]]:
    portfolio = await create_portfolio(dsn, subscriptions=SUBSCRIPTIONS, features=())
    async with portfolio.tx() as tx:
        api_key = (await create_api_key(tx, name="usage", scopes=(FULL_ACCESS,))).text
    await portfolio.database.close()
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            files(__package__).joinpath("usage_ceiling_schema.sql").read_text()
        )
    finally:
        await connection.close()
    return api_key, portfolio.subscription_ids


async def _raw_events_per_second(dsn: str, *, seconds: float) -> float:
    """The same events in the same number at a time, by one prepared statement on each connection."""
    insert = files(__package__).joinpath("usage_ceiling.sql").read_text()
    pool = await asyncpg.create_pool(dsn, min_size=_BATCH_CONNECTIONS, max_size=_BATCH_CONNECTIONS)
    until = perf_counter() + seconds

    async def insert_repeatedly(place: int) -> int:
        recorded = 0
        async with pool.acquire() as connection:
            statement = await connection.prepare(insert)
            first = int(perf_counter() * 1000)
            while perf_counter() < until:
                first += 1
                await statement.fetch(
                    [f"{place}-{first}-{number}" for number in range(BATCH)],
                    ["api.request"] * BATCH,
                    [1 + number % 7 for number in range(BATCH)],
                    [BEGINNING + timedelta(seconds=number) for number in range(BATCH)],
                    [number % SUBSCRIPTIONS for number in range(BATCH)],
                )
                recorded += BATCH
        return recorded

    try:
        started = perf_counter()
        recorded = await asyncio.gather(*map(insert_repeatedly, range(_BATCH_CONNECTIONS)))
        return sum(recorded) / (perf_counter() - started)
    finally:
        await pool.close()
