"""How much usage does one process record over HTTP?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
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
from benchmarks.serving import api_server
from billwright.features.identity.model import FULL_ACCESS
from billwright.features.identity.operations.create_api_key import create_api_key
from billwright.runtime.db.embedded import EmbeddedPostgres

SUBSCRIPTIONS = 100
BATCH = 1000
_CEILING = "a raw insert that recognizes repetitions"


@dataclass(frozen=True, slots=True)
class _Kind:
    """How usage is told: so many events in a request, on so many connections."""

    name: str
    events: int
    connections: int


_BATCH = _Kind("usage batch", BATCH, 4)
_SINGLE = _Kind("usage single", 1, 32)


def recorded_usage(server: EmbeddedPostgres, *, home: Path, rounds: Rounds) -> list[Row]:
    """Events of a hundred subscriptions, a thousand in a request and one in a request, each new.

    Ceiling and product are measured in turn on the same server and with as many connections, so that
    what else happens on the machine meets both; the round with the middle ratio counts.
    """
    dsn = migrated_database(server, "usage")
    api_key, subscription_ids = asyncio.run(_portfolio(dsn))
    rows: list[Row] = []
    with api_server(dsn, home=home) as port:
        for kind in (_BATCH, _SINGLE):
            task = Task(
                port,
                ["/api/billing/usage"],
                warm_seconds=rounds.warm_seconds,
                seconds=rounds.seconds,
                headers=[f"Authorization: Bearer {api_key}"],
                connections=kind.connections,
                body=_body(kind, subscription_ids),
            )
            rows.append(_row(kind, [_round(kind, dsn=dsn, task=task) for _ in range(rounds.count)]))
    return rows


def _round(kind: _Kind, *, dsn: str, task: Task) -> tuple[float, float]:
    """Events per second of the raw insert and of the product."""
    raw = asyncio.run(_raw_events_per_second(dsn, kind, seconds=task.seconds))
    return raw, measure(task).per_second * kind.events


def _row(kind: _Kind, measured: Sequence[tuple[float, float]]) -> Row:
    raw, product = sorted(measured, key=lambda each: each[1] / each[0])[len(measured) // 2]
    return rate(kind.name, product, unit="events/s", ceiling=raw, ceiling_name=_CEILING)


def _body(kind: _Kind, subscription_ids: Sequence[UUID]) -> str:
    return json.dumps(
        {
            "events": [
                {
                    "id": f"request-@-{number}",
                    "type": "api.request",
                    "time": (BEGINNING + timedelta(seconds=number)).isoformat(),
                    "quantity": str(1 + number % 7),
                    "subscription_id": str(subscription_ids[number % len(subscription_ids)]),
                }
                for number in range(kind.events)
            ]
        }
    )


async def _portfolio(dsn: str) -> tuple[str, Sequence[UUID]]:
    portfolio = await create_portfolio(dsn, subscriptions=SUBSCRIPTIONS, features=())
    async with portfolio.tx() as tx:
        api_key = await create_api_key(tx, name="usage", scopes=(FULL_ACCESS,))
    await portfolio.database.close()
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            files(__package__).joinpath("usage_ceiling_schema.sql").read_text()
        )
    finally:
        await connection.close()
    return api_key, portfolio.subscription_ids


async def _raw_events_per_second(dsn: str, kind: _Kind, *, seconds: float) -> float:
    """The same events in the same number at a time, by one prepared statement on each connection."""
    insert = files(__package__).joinpath("usage_ceiling.sql").read_text()
    pool = await asyncpg.create_pool(dsn, min_size=kind.connections, max_size=kind.connections)
    until = perf_counter() + seconds

    async def insert_repeatedly(place: int) -> int:
        recorded = 0
        async with pool.acquire() as connection:
            statement = await connection.prepare(insert)
            first = int(perf_counter() * 1000)
            while perf_counter() < until:
                first += 1
                await statement.fetch(
                    [f"{place}-{first}-{number}" for number in range(kind.events)],
                    ["api.request"] * kind.events,
                    [1 + number % 7 for number in range(kind.events)],
                    [BEGINNING + timedelta(seconds=number) for number in range(kind.events)],
                    [number % SUBSCRIPTIONS for number in range(kind.events)],
                )
                recorded += kind.events
        return recorded

    try:
        started = perf_counter()
        recorded = await asyncio.gather(*map(insert_repeatedly, range(kind.connections)))
        return sum(recorded) / (perf_counter() - started)
    finally:
        await pool.close()
