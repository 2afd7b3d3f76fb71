"""How many due subscriptions does one worker bill in a second?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from time import perf_counter

import asyncpg
import uvloop

from benchmarks.billing_ceiling import ceiling_per_second, prepare_ceiling
from benchmarks.database import empty_database, migrated_database
from benchmarks.portfolio import FEATURES_WITH_A_LIMIT, Portfolio, create_portfolio
from benchmarks.results import Row, rate
from billwright.features.catalog.model import PlanFeature
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.runtime.db.embedded import EmbeddedPostgres
from billwright.runtime.garbage import collect_rarely
from billwright.runtime.queue.registry import Work

# One renewal of every subscription each; the first finds almost empty tables, the others do not.
RUNS_AT = tuple(datetime(2026, month, 20, 12, 0, tzinfo=UTC) for month in (2, 3, 4))
_CEILING = "one SQL statement for all"


def billing_run(server: EmbeddedPostgres, *, subscriptions: int) -> list[Row]:
    """The statement and the product renew every subscription in turn, three times; the round with the
    middle ratio counts.
    """
    variants: Sequence[tuple[str, Sequence[PlanFeature]]] = (
        ("billing run", ()),
        ("billing run, plan with a limit", FEATURES_WITH_A_LIMIT),
    )
    collect_rarely()  # as the worker does when it starts
    rows = []
    for number, (name, features) in enumerate(variants, start=1):
        dsn = migrated_database(server, f"billing_{number}")
        ceiling_dsn = empty_database(server, f"billing_ceiling_{number}")
        rounds = uvloop.run(
            _measured_rounds(
                dsn, ceiling_dsn=ceiling_dsn, subscriptions=subscriptions, features=features
            )
        )
        value, ceiling = sorted(rounds, key=lambda each: each[0] / each[1])[len(rounds) // 2]
        rows.append(rate(name, value, unit="invoices/s", ceiling=ceiling, ceiling_name=_CEILING))
    return rows


async def _measured_rounds(
    dsn: str, *, ceiling_dsn: str, subscriptions: int, features: Sequence[PlanFeature]
) -> list[tuple[float, float]]:
    """Invoices per second of the product and of the ceiling."""
    connection = await asyncpg.connect(ceiling_dsn, server_settings={"jit": "off"})
    try:
        await prepare_ceiling(connection, subscriptions=subscriptions, tenants=1)
        portfolio = await create_portfolio(dsn, subscriptions=subscriptions, features=features)
        try:
            rounds = []
            for at in RUNS_AT:
                ceiling = await ceiling_per_second(connection, at=at)
                rounds.append((await _invoices_per_second(portfolio, at=at), ceiling))
            return rounds
        finally:
            await portfolio.database.close()
    finally:
        await connection.close()


async def _invoices_per_second(portfolio: Portfolio, *, at: datetime) -> float:
    portfolio.clock.move_to(at)
    work = Work(
        name="renew_due_subscriptions",
        database=portfolio.database,
        tenant_id=portfolio.tenant_id,
        as_of=at,
    )
    started = perf_counter()
    renewed = await renew_due_subscriptions(work)
    seconds = perf_counter() - started
    if renewed != len(portfolio.subscription_ids):
        raise RuntimeError(f"{len(portfolio.subscription_ids)} were due, {renewed} were renewed")
    return renewed / seconds
