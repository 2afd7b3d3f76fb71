"""How does the product reach its database?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from time import perf_counter
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

import asyncpg

from billwright.kernel.actor import Actor
from billwright.kernel.ids import TenantId
from billwright.runtime.clock import Clock, SystemClock
from billwright.runtime.db.errors import busy
from billwright.runtime.db.tx import Tx
from billwright.runtime.telemetry.metrics import Metrics
from billwright.runtime.telemetry.tracing import span

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

# Writes what a transaction has published, audited and enqueued, as its last statements.
Outbox: TypeAlias = "Callable[[Connection, Tx], Awaitable[None]]"

Fetch: TypeAlias = "Callable[..., Awaitable[list[asyncpg.Record]]]"

APPLICATION_ROLE = "billwright_app"

_WAITED_IN_VAIN = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)


class Database:
    """A pool of connections as the application's role, which owns no table.

    `tx` is the way to work for one tenant; `unscoped` only calls the guarded functions that look
    across tenants (they are listed at the end of the first migration).
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        *,
        clock: Clock,
        outbox: Outbox,
        metrics: Metrics | None = None,
    ) -> None:
        self._pool = pool
        self._outbox = outbox
        self._metrics = metrics
        self._tenants_by_code: dict[str, TenantId] = {}
        self.clock = clock

    @classmethod
    async def connect(
        cls,
        dsn: str,
        *,
        outbox: Outbox,
        size: int = 10,
        clock: Clock | None = None,
        metrics: Metrics | None = None,
    ) -> Database:
        """Open the pool. The role is set by the connection itself, so that nothing runs as owner.

        A statement that waits longer than ten seconds for a lock is refused as `busy`.
        """
        pool = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=size,
            reset=_leave_no_transaction,
            server_settings={
                "role": APPLICATION_ROLE,
                "application_name": "billwright",
                "timezone": "UTC",
                "jit": "off",
                # Every query has its index. Without this, a session that first checked a foreign key
                # against an almost empty table would scan it ever after, while it grows.
                "enable_seqscan": "off",
                "lock_timeout": "10s",
                "idle_in_transaction_session_timeout": "60s",
            },
        )
        return cls(pool, clock=clock or SystemClock(), outbox=outbox, metrics=metrics)

    async def close(self) -> None:
        """Close every connection; what is still running is waited for."""
        await self._pool.close()

    @asynccontextmanager
    async def tx(
        self,
        tenant_id: TenantId,
        *,
        actor: Actor,
        cause: str,
        now: datetime | None = None,
    ) -> AsyncIterator[Tx]:
        """One transaction for `tenant_id`: commits when the block ends, rolls back when it raises.

        `cause` says what asked for it (an operation of the API, a job's name). `now` is given only
        by work that runs at another time than the clock's, such as an advancing test clock.
        """
        async with self._pool.acquire() as connection:
            started, outcome = perf_counter(), "rolled_back"
            tx = await self._begin(connection, tenant_id, actor=actor, cause=cause, now=now)
            try:
                with span("transaction", cause=cause):
                    yield tx
                    await self._outbox(connection, tx)
                    if await connection.execute("commit") != "COMMIT":
                        raise RuntimeError("a database error was swallowed; all was rolled back")
                outcome = "committed"
            except BaseException as error:
                await _roll_back(connection)
                if isinstance(error, _WAITED_IN_VAIN):
                    raise busy() from error
                raise
            finally:
                self._count(tx, outcome=outcome, seconds=perf_counter() - started)

    @asynccontextmanager
    async def rehearsal(
        self,
        tenant_id: TenantId,
        *,
        actor: Actor,
        cause: str,
        now: datetime | None = None,
    ) -> AsyncIterator[Tx]:
        """One transaction that is always rolled back: what an operation would do and answer, by doing
        it, without anything of it coming true. Events, audit entries and jobs are not even written.
        """
        async with self._pool.acquire() as connection:
            started = perf_counter()
            tx = await self._begin(connection, tenant_id, actor=actor, cause=cause, now=now)
            try:
                with span("rehearsal", cause=cause):
                    yield tx
            except _WAITED_IN_VAIN as error:
                raise busy() from error
            finally:
                await _roll_back(connection)
                self._count(tx, outcome="rehearsed", seconds=perf_counter() - started)

    async def _begin(
        self,
        connection: Connection,
        tenant_id: TenantId,
        *,
        actor: Actor,
        cause: str,
        now: datetime | None,
    ) -> Tx:
        # One round trip opens the transaction and names the tenant. SET takes no parameters; the
        # literal is safe because a UUID has no other form.
        await connection.execute(f"begin; set local billwright.tenant_id = '{tenant_id}'")
        machine_now = self.clock.now()
        return Tx(
            connection,
            tenant_id=tenant_id,
            actor=actor,
            cause=cause,
            now=now or machine_now,
            machine_now=machine_now,
        )

    def _count(self, tx: Tx, *, outcome: str, seconds: float) -> None:
        if self._metrics is not None:
            self._metrics.count_transaction(outcome=outcome, seconds=seconds)
            if outcome == "committed":
                for _, _, event in tx.events:
                    self._metrics.count_event(event.type)

    async def unscoped(self, sql: str, *values: object) -> list[asyncpg.Record]:
        """Rows of a guarded function; tables show nothing here, since no tenant is set."""
        async with self.looking_across() as fetch:
            return await fetch(sql, *values)

    @asynccontextmanager
    async def looking_across(self) -> AsyncIterator[Fetch]:
        """`unscoped` on one connection for whoever asks again and again, until the block ends."""
        async with self._pool.acquire() as connection:
            yield connection.fetch

    async def tenant_by_code(self, code: str) -> TenantId | None:
        """The tenant that goes by `code`. One that was found is remembered: a code is never changed or
        given to another tenant.
        """
        known = self._tenants_by_code.get(code)
        if known is not None:
            return known
        rows = await self.unscoped("select tenant_by_code($1) as tenant_id", code)
        found: UUID | None = rows[0]["tenant_id"]
        if found is None:
            return None
        return self._tenants_by_code.setdefault(code, TenantId(found))

    async def all_tenants(self) -> Sequence[TenantId]:
        """Every tenant, for background work that runs for each."""
        rows = await self.unscoped("select tenant_id from all_tenants()")
        return [TenantId(row["tenant_id"]) for row in rows]

    def pool_use(self) -> tuple[int, int]:
        """Connections that are busy, and connections that are open."""
        open_connections = self._pool.get_size()
        return open_connections - self._pool.get_idle_size(), open_connections


async def _roll_back(connection: Connection) -> None:
    if not connection.is_closed():
        await connection.execute("rollback")


async def _leave_no_transaction(connection: Connection) -> None:
    """What is done when a connection goes back to the pool, instead of a costly RESET ALL.

    Every setting is LOCAL to its transaction, so that ending the transaction is all there is to do;
    one that is still open here was left by a cancelled task.
    """
    if connection.is_in_transaction():
        await connection.execute("rollback")
