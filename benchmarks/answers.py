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
class Durations:
    """Seconds of load before and while it is measured."""

    warm: float
    measured: float


def static_answer(*, durations: Durations) -> tuple[Row, Measured]:
    """The raw server, which is the ceiling of what is answered over HTTP."""
    with static_server() as port:
        raw = measure(Task(port, ["/"], warm_seconds=durations.warm, seconds=durations.measured))
    row = rate(
        "static answer",
        raw.per_second,
        unit="requests/s",
        ceiling=raw.per_second,
        ceiling_name="itself",
    )
    return row, raw


def entitlement_read(
    server: EmbeddedPostgres, *, home: Path, subscriptions: int, durations: Durations, raw: Measured
) -> list[Row]:
    """Authenticated reads of what a subscription allows, another subscription each time."""
    dsn = migrated_database(server, "entitlements")
    api_key, ids = asyncio.run(_portfolio(dsn, subscriptions=subscriptions))
    with api_server(dsn, home=home) as port:
        found = measure(
            Task(
                port,
                [f"/api/billing/subscriptions/{each}/entitlements" for each in ids],
                warm_seconds=durations.warm,
                seconds=durations.measured,
                headers=[f"Authorization: Bearer {api_key}"],
            )
        )
    return [
        rate(
            "entitlement read",
            found.per_second,
            unit="requests/s",
            ceiling=raw.per_second,
            ceiling_name=_CEILING,
        ),
        duration(
            "entitlement read, p99 at full load",
            found.p99_milliseconds,
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
