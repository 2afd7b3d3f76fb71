"""How many answers a second does one process give over HTTP?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

from benchmarks.database import migrated_database
from benchmarks.load import Measured, Task, measure
from benchmarks.portfolio import FEATURES_WITH_A_LIMIT, create_portfolio
from benchmarks.results import Row, duration, rate
from benchmarks.serving import api_server, static_server
from billwright.runtime.clock import SystemClock
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
    product: Measured

    @property
    def ratio(self) -> float:
        return self.product.per_second / self.raw.per_second


def entitlement_answers(
    server: EmbeddedPostgres, *, home: Path, subscriptions: int, rounds: Rounds
) -> list[Row]:
    """Authenticated questions about access, another account each time: what a subscription allows, and
    whether a metered, a static and a boolean feature, in turn, may be used.

    The raw server and the API are measured in turn, so that what else happens on the machine meets
    both; the round with the middle ratio counts.
    """
    dsn = migrated_database(server, "entitlements")
    asked = asyncio.run(_portfolio(dsn, subscriptions=subscriptions))
    headers = [f"Authorization: Bearer {asked.api_key}"]
    with static_server() as raw_port, api_server(dsn, home=home) as api_port:
        raw = _task(rounds, port=raw_port, paths=["/"])
        read = replace(_task(rounds, port=api_port, paths=asked.paths), headers=headers)
        check = replace(
            _task(rounds, port=api_port, paths=["/api/billing/entitlements/check"]),
            headers=headers,
            body="#",
            names=asked.questions,
        )
        reads = _measured(rounds, raw=raw, product=read)
        checks = _measured(rounds, raw=raw, product=check)
    return [
        _static(reads),
        *_rows("entitlement read", reads),
        *_rows("entitlement check", checks),
    ]


def _measured(rounds: Rounds, *, raw: Task, product: Task) -> _Round:
    measured = [_Round(raw=measure(raw), product=measure(product)) for _ in range(rounds.count)]
    return sorted(measured, key=lambda each: each.ratio)[len(measured) // 2]


def _task(rounds: Rounds, *, port: int, paths: Sequence[str]) -> Task:
    return Task(port, paths, warm_seconds=rounds.warm_seconds, seconds=rounds.seconds)


def _static(middle: _Round) -> Row:
    raw = middle.raw.per_second
    return rate("static answer", raw, unit="requests/s", ceiling=raw, ceiling_name="itself")


def _rows(name: str, middle: _Round) -> list[Row]:
    raw, product = middle.raw, middle.product
    return [
        rate(
            name,
            product.per_second,
            unit="requests/s",
            ceiling=raw.per_second,
            ceiling_name=_CEILING,
        ),
        duration(
            f"{name}, p99 at full load",
            product.p99_milliseconds,
            unit="ms",
            ceiling=raw.p99_milliseconds,
            ceiling_name=_CEILING,
        ),
    ]


@dataclass(frozen=True, slots=True)
class _Asked:
    api_key: str
    paths: Sequence[str]
    questions: Sequence[str]


async def _portfolio(dsn: str, *, subscriptions: int) -> _Asked:
    portfolio = await create_portfolio(
        dsn,
        subscriptions=subscriptions,
        features=FEATURES_WITH_A_LIMIT,
        beginning=SystemClock().now(),
    )
    async with portfolio.tx() as tx:
        accounts = await tx.fetch("select id from account where tenant_id = $1", tx.tenant_id)
    await portfolio.database.close()
    codes = cycle([one.code for one in FEATURES_WITH_A_LIMIT])
    questions = [
        json.dumps({"account_id": str(row["id"]), "feature": code})
        for row, code in zip(accounts, codes, strict=False)
    ]
    longest = max(map(len, questions))
    return _Asked(
        portfolio.api_key,
        [f"/api/billing/subscriptions/{one}/entitlements" for one in portfolio.subscription_ids],
        [question.ljust(longest) for question in questions],
    )
