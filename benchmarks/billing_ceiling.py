"""How fast is a billing run with nothing to spare?"""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files
from time import perf_counter

import asyncpg


async def prepare_ceiling(
    connection: asyncpg.Connection[asyncpg.Record], *, subscriptions: int, tenants: int
) -> None:
    """The schema, with subscriptions that are due, spread evenly over the tenants."""
    await connection.execute(_sql("billing_ceiling_schema.sql"))
    await connection.execute(
        """insert into price select t, p, 10 + p, 0.19
           from generate_series(1, $1::int) t, generate_series(1, 3) p""",
        tenants,
    )
    await connection.execute(
        """insert into subscription
           select 1 + i % $2::int, i, i, 'active', 'EUR', '2026-01-15', '2026-02-15'
           from generate_series(1, $1::int) i""",
        subscriptions,
        tenants,
    )
    await connection.execute(
        """insert into usage_aggregate
           select 1 + i % $2::int, i, 'api_calls', i::bigint * 7919 % 99991
           from generate_series(1, $1::int) i""",
        subscriptions,
        tenants,
    )
    await connection.execute("analyze")


async def ceiling_per_second(
    connection: asyncpg.Connection[asyncpg.Record], *, at: datetime
) -> float:
    """Invoices per second of the one statement."""
    started = perf_counter()
    row = await connection.fetchrow(_sql("billing_ceiling.sql"), at)
    seconds = perf_counter() - started
    if row is None or row["lines"] != 3 * row["invoices"] or row["renewed"] != row["invoices"]:
        raise RuntimeError(f"the ceiling's statement did something else: {row}")
    return int(row["invoices"]) / seconds


def _sql(name: str) -> str:
    return files(__package__).joinpath(name).read_text()
