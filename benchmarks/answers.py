"""How many answers a second does one process give over HTTP?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from benchmarks.database import migrated_database
from benchmarks.load import Measured, Task, measure
from benchmarks.portfolio import FEATURES_WITH_A_LIMIT, create_portfolio
from benchmarks.results import Row, duration, rate
from benchmarks.serving import api_server, static_server
from billwright.runtime.db.embedded import EmbeddedPostgres

_CEILING = "11 bytes from the raw server"


@dataclass(frozen=True, slots=True)
class Rounds:
    """How often the two servers are measured in turn, and for how many seconds each time."""

    count: int
    warm_seconds: float
    seconds: float


@dataclass(frozen=True, slots=True)
class _Round:
    raw: Measured
    read: Measured

    @property
    def ratio(self) -> float:
        return self.read.per_second / self.raw.per_second


def entitlement_read(
    server: EmbeddedPostgres, *, home: Path, subscriptions: int, rounds: Rounds
) -> list[Row]:
    """Authenticated reads of what a subscription allows, another subscription each time.

    The raw server and the API are measured in turn, so that what else happens on the machine meets
    both; the round with the middle ratio counts.
    """
    dsn = migrated_database(server, "entitlements")
    api_key, ids = asyncio.run(_portfolio(dsn, subscriptions=subscriptions))
    paths = [f"/api/billing/subscriptions/{each}/entitlements" for each in ids]
    headers = [f"Authorization: Bearer {api_key}"]
    with static_server() as raw_port, api_server(dsn, home=home) as api_port:
        measured = [
            _Round(
                raw=measure(_task(rounds, port=raw_port, paths=["/"], headers=())),
                read=measure(_task(rounds, port=api_port, paths=paths, headers=headers)),
            )
            for _ in range(rounds.count)
        ]
    middle = sorted(measured, key=lambda each: each.ratio)[len(measured) // 2]
    return _rows(middle)


def _task(rounds: Rounds, *, port: int, paths: Sequence[str], headers: Sequence[str]) -> Task:
    return Task(
        port,
        paths,
        warm_seconds=rounds.warm_seconds,
        seconds=rounds.seconds,
        headers=headers,
    )


def _rows(middle: _Round) -> list[Row]:
    raw, read = middle.raw, middle.read
    return [
        rate(
            "static answer",
            raw.per_second,
            unit="requests/s",
            ceiling=raw.per_second,
            ceiling_name="itself",
        ),
        rate(
            "entitlement read",
            read.per_second,
            unit="requests/s",
            ceiling=raw.per_second,
            ceiling_name=_CEILING,
        ),
        duration(
            "entitlement read, p99 at full load",
            read.p99_milliseconds,
            unit="ms",
            ceiling=raw.p99_milliseconds,
            ceiling_name=_CEILING,
        ),
    ]


async def _portfolio(dsn: str, *, subscriptions: int) -> tuple[str, Sequence[UUID]]:
    portfolio = await create_portfolio(
        dsn, subscriptions=subscriptions, features=FEATURES_WITH_A_LIMIT
    )
    await portfolio.database.close()
    return portfolio.api_key, portfolio.subscription_ids
