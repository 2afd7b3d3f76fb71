"""What may an operation do? Everything goes through the one handle that it receives, the Tx."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import UUID

import asyncpg

from billwright.kernel.actor import Actor
from billwright.kernel.event import Event
from billwright.kernel.ids import TenantId, new_id_text
from billwright.kernel.quick import quickly_made
from billwright.runtime.db.json import to_json

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A job to run after the commit; a `dedupe_key` lets only one such job wait at a time."""

    name: str
    payload: object
    delay: timedelta | None = None
    dedupe_key: str | None = None


@quickly_made
@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which thing; `details` holds the command's values, without secrets."""

    action: str
    subject_type: str
    subject_id: UUID
    details: object


class _Foreseen(Exception):  # noqa: N818 - it names the state
    """What was to be foreseen has been seen."""


class Tx:
    """One transaction of one tenant at one instant.

    Row-level security shows only the tenant's rows, whatever a query forgets. Events, audit entries
    and jobs given to `publish`, `audit` and `enqueue` are written by the commit, or not at all. An
    operation never commits; the edge that opened the Tx does.

    `machine_now` is the instant at which it opened, also for an account on a test clock: providers live
    in that time.
    """

    __slots__ = (
        "_connection",
        "_foresees",
        "_now",
        "_time_fixed",
        "actor",
        "audit_entries",
        "cause",
        "events",
        "jobs",
        "machine_now",
        "tenant_id",
    )

    def __init__(
        self,
        connection: asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record],
        *,
        tenant_id: TenantId,
        actor: Actor,
        cause: str,
        now: datetime,
        machine_now: datetime | None = None,
    ) -> None:
        self._connection = connection
        self._now = now
        self.machine_now = machine_now or now
        self._time_fixed = False
        self._foresees = False
        self.tenant_id = tenant_id
        self.actor = actor
        self.cause = cause
        self.events: list[tuple[str, datetime, Event]] = []
        self.audit_entries: list[tuple[datetime, AuditEntry]] = []
        self.jobs: list[JobRequest] = []

    @property
    def now(self) -> datetime:
        """The transaction's instant, UTC: read once when it opened, or its account's test clock."""
        return self._now

    def move_to(self, instant: datetime) -> None:
        """Take an account's own time, from its test clock; only the lock of an account calls this.

        One transaction has one time: moving to two different instants is a bug. What is foreseen has the
        time that it was given.
        """
        if self._foresees:
            return
        if self._time_fixed and instant != self._now:
            raise RuntimeError("one transaction cannot touch accounts of two different clocks")
        self._now, self._time_fixed = instant, True

    async def fetch(self, sql: str, *values: object) -> list[asyncpg.Record]:
        """All rows of a query."""
        return await self._connection.fetch(sql, *values)

    async def fetch_row(self, sql: str, *values: object) -> asyncpg.Record | None:
        """The first row of a query, or none."""
        return await self._connection.fetchrow(sql, *values)

    async def fetch_value(self, sql: str, *values: object) -> Any:
        """The first column of the first row, or none."""
        return await self._connection.fetchval(sql, *values)

    async def execute(self, sql: str, *values: object) -> int:
        """Run a statement; returns how many rows it touched."""
        status = await self._connection.execute(sql, *values)
        return int(last) if (last := status.rpartition(" ")[2]).isdigit() else 0

    async def insert(
        self,
        table: str,
        rows: Sequence[Mapping[str, object]],
        *,
        shared: Mapping[str, object] | None = None,
        on_conflict: Literal["", "on conflict do nothing"] = "",
    ) -> int:
        """Insert any number of rows by one statement; returns how many were stored.

        Rows are named values without the tenant, which is the transaction's own; what all of them have
        in common is better `shared` than repeated. They travel as one JSON text, which PostgreSQL reads
        as rows of the table: a driver's arrays cost three times as much of this process's time, and
        COPY does not work under row-level security.
        """
        if not rows:
            return 0
        width = len(rows[0])
        if any(len(row) != width for row in rows):
            raise ValueError(f"the rows for {table} name different columns")
        common = shared or {}
        columns = ", ".join((*rows[0], *common))
        values = ", ".join((*(f"r.{name}" for name in rows[0]), *(f"s.{name}" for name in common)))
        return await self.execute(
            # tidy: tables - the callers name it, and are checked
            f"""insert into {table} (tenant_id, {columns})
                select $1, {values} from json_populate_recordset(null::{table}, $2::json) as r,
                    json_populate_record(null::{table}, $3::json) as s
                {on_conflict}""",  # noqa: S608 - names come from the code, values from parameters
            self.tenant_id,
            to_json(rows),
            to_json(common),
        )

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part that may fail alone: an exception undoes it, its events, audits and jobs."""
        marks = len(self.events), len(self.audit_entries), len(self.jobs)
        await self._connection.execute("savepoint part")
        try:
            yield
        except BaseException:
            # Without the release, it would hide an outer savepoint, which has the same name.
            await self._connection.execute("rollback to savepoint part; release savepoint part")
            del self.events[marks[0] :], self.audit_entries[marks[1] :], self.jobs[marks[2] :]
            raise
        await self._connection.execute("release savepoint part")

    @asynccontextmanager
    async def foreseeing(self, instant: datetime) -> AsyncIterator[None]:
        """A part that takes place at a later instant and of which nothing is kept: what would happen."""
        before = self._now, self._foresees
        self._now, self._foresees = instant, True
        with suppress(_Foreseen):
            try:
                async with self.savepoint():
                    yield
                    raise _Foreseen
            finally:
                self._now, self._foresees = before

    def publish(self, event: Event) -> None:
        """State a fact: it is stored with the commit, and the reactions to it run afterwards."""
        self.events.append((new_id_text(), self._now, event))

    def audit(
        self, action: str, *, subject_type: str, subject_id: UUID, details: object = None
    ) -> None:
        """Record a command: who, when and why are the transaction's own."""
        entry = AuditEntry(action, subject_type, subject_id, details or {})
        self.audit_entries.append((self._now, entry))

    def enqueue(
        self,
        job: str,
        payload: object,
        *,
        delay: timedelta | None = None,
        dedupe_key: str | None = None,
    ) -> None:
        """Ask for a job; it exists if and only if this transaction commits."""
        self.jobs.append(JobRequest(job, payload, delay, dedupe_key))


OpenTx: TypeAlias = Callable[[], AbstractAsyncContextManager[Tx]]
"""How work that calls out opens one transaction before the call and another after it."""
