"""How many due subscriptions of many tenants are billed in a second, by one process and by two?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter

import asyncpg
import uvloop

from benchmarks.billing_ceiling import ceiling_per_second, prepare_ceiling
from benchmarks.billing_process import Billed, BillingProcess, billing_process
from benchmarks.database import empty_database, migrated_database
from benchmarks.portfolio import create_portfolio
from benchmarks.results import Row, duration, part, rate
from billwright.runtime.db.embedded import EmbeddedPostgres

TENANTS = 50
_ONE_PROCESS_AT = tuple(datetime(2026, month, 20, 12, 0, tzinfo=UTC) for month in (2, 3, 4))
_TWO_PROCESSES_AT = tuple(datetime(2026, month, 20, 12, 0, tzinfo=UTC) for month in (5, 6, 7))
_A_TENTH_AT = datetime(2026, 8, 20, 12, 0, tzinfo=UTC)
_CEILING = "one SQL statement for all"


@dataclass(frozen=True, slots=True)
class _Round:
    """Invoices per second, how long it took, and how long to find that nothing is left."""

    ceiling: float
    value: float
    seconds: float
    again_seconds: float

    @property
    def ratio(self) -> float:
        return self.value / self.ceiling


def billing_of_tenants(server: EmbeddedPostgres, *, subscriptions: int) -> list[Row]:
    """The statement and the product renew every subscription in turn, three times with one process and
    three times with two; the rounds with the middle ratio count. After each round the books are checked.
    """
    dsn = migrated_database(server, "billing_tenants")
    ceiling_dsn = empty_database(server, "billing_tenants_ceiling")
    uvloop.run(_prepare(dsn, ceiling_dsn=ceiling_dsn, subscriptions=subscriptions))
    run = _Run(dsn, ceiling_dsn, subscriptions)
    with billing_process(dsn) as first:
        alone = run.middle([first], _ONE_PROCESS_AT)
        peak = first.bill(_ONE_PROCESS_AT[-1], tenants=TENANTS).peak_bytes
        with billing_process(dsn) as second:
            both = run.middle([first, second], _TWO_PROCESSES_AT)
    with billing_process(dsn) as fresh:
        tenth = fresh.bill(_A_TENTH_AT, tenants=TENANTS // 10)
    name = f"billing run, {TENANTS} tenants"
    return [
        rate(name, alone.value, unit="invoices/s", ceiling=alone.ceiling, ceiling_name=_CEILING),
        rate(
            f"{name}, two processes",
            both.value,
            unit="invoices/s",
            ceiling=both.ceiling,
            ceiling_name=_CEILING,
        ),
        part(
            f"{name}, run again",
            alone.again_seconds,
            unit="s",
            whole=alone.seconds,
            whole_name="the first run; the ratio is the part of it",
        ),
        duration(
            f"{name}, peak memory",
            peak / 1e6,
            unit="MB",
            ceiling=tenth.peak_bytes / 1e6,
            ceiling_name="the same for a tenth of them",
        ),
    ]


async def _prepare(dsn: str, *, ceiling_dsn: str, subscriptions: int) -> None:
    portfolio = await create_portfolio(
        dsn, subscriptions=subscriptions, features=(), tenants=TENANTS
    )
    await portfolio.database.close()
    connection = await asyncpg.connect(ceiling_dsn)
    try:
        await prepare_ceiling(connection, subscriptions=subscriptions, tenants=TENANTS)
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True)
class _Run:
    dsn: str
    ceiling_dsn: str
    subscriptions: int

    def middle(self, processes: Sequence[BillingProcess], instants: Sequence[datetime]) -> _Round:
        """A round at each instant; the one with the middle ratio."""
        rounds = [self._round(processes, at) for at in instants]
        return sorted(rounds, key=lambda each: each.ratio)[len(rounds) // 2]

    def _round(self, processes: Sequence[BillingProcess], at: datetime) -> _Round:
        ceiling = asyncio.run(_ceiling(self.ceiling_dsn, at))
        started = perf_counter()
        billed = _billed_by(processes, at)
        seconds = perf_counter() - started
        asyncio.run(_check_books(self.dsn, at, subscriptions=self.subscriptions))
        again = processes[0].bill(at, tenants=TENANTS)
        documents = sum(each.documents for each in billed)
        if (documents, again.documents) != (self.subscriptions, 0):
            raise RuntimeError(f"{self.subscriptions} were due: {billed}, then {again}")
        return _Round(ceiling, documents / seconds, seconds, again.seconds)


def _billed_by(processes: Sequence[BillingProcess], at: datetime) -> list[Billed]:
    for process in processes:
        process.begin(at, tenants=TENANTS)
    return [process.result() for process in processes]


async def _ceiling(dsn: str, at: datetime) -> float:
    connection = await asyncpg.connect(dsn, server_settings={"jit": "off"})
    try:
        return await ceiling_per_second(connection, at=at)
    finally:
        await connection.close()


async def _check_books(dsn: str, at: datetime, *, subscriptions: int) -> None:
    """Each subscription has got one invoice of three lines, and no tenant's numbers have a gap."""
    connection = await asyncpg.connect(dsn)
    try:
        billed = await connection.fetchrow(
            """select count(*) as subscriptions, min(invoices) = 1 and max(invoices) = 1 as once,
                   min(lines) = 3 and max(lines) = 3 as whole
               from (select c.subscription_id, count(distinct c.invoice_id) as invoices,
                         count(*) as lines
                     from charge c
                     join invoice i on i.tenant_id = c.tenant_id and i.id = c.invoice_id
                     where i.finalized_at = $1 group by c.subscription_id) as own""",
            at,
        )
        gaps = await connection.fetch(
            """select tenant_id, count(*), max(sequence) from invoice group by tenant_id
               having count(*) <> max(sequence) or min(sequence) <> 1"""
        )
    finally:
        await connection.close()
    if billed is None or tuple(billed) != (subscriptions, True, True) or gaps:
        raise RuntimeError(f"the books are wrong: {billed}, {gaps}")
