"""What is in the event log, and how far is it final?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg

from billwright.features.webhooks.errors import event_unknown
from billwright.features.webhooks.model import EventPage, EventQuery, LoggedEvent
from billwright.kernel.id_bounds import first_id_at, made_at
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx

_COLUMNS = """e.id, e.position, e.type, e.version, e.occurred_at, e.subject_type, e.subject_id,
    e.account_id, e.data"""

# What one request reads at most where no index leads to the events that are wanted.
_LOOKED_AT = 10_000
# An event gets its id when it is published and its place when its transaction ends.
_LONGEST_TRANSACTION = timedelta(hours=1)


async def settled_position(tx: Tx) -> int:
    """The last place in the log. Every one up to it is committed, or never will be.

    For that the gate of the log is closed until the transaction ends, which should be at once: whoever
    commits events meanwhile waits.
    """
    await tx.execute("select pg_advisory_xact_lock(event_gate())")
    return await last_position(tx)


async def last_position(tx: Tx) -> int:
    """The last place in the log that can be seen; earlier ones may still be committed."""
    found: int | None = await tx.fetch_value(
        "select max(position) from event where tenant_id = $1", tx.tenant_id
    )
    return found or 0


async def position_before(tx: Tx, first_id: UUID) -> int:
    """A place in the log before all events with that id or a later one, and not long before them."""
    found: int | None = await tx.fetch_value(
        """select min(position) - 1 from (
               select e.position from event e where e.tenant_id = $1 and e.id >= $2
               order by e.id limit 1000) first_ones""",
        tx.tenant_id,
        first_id_at(made_at(first_id) - _LONGEST_TRANSACTION),
    )
    return await last_position(tx) if found is None else found


async def event_by_id(tx: Tx, event_id: UUID) -> LoggedEvent:
    """One event. Refuses: `event_unknown`."""
    row = await tx.fetch_row(
        f"select {_COLUMNS} from event e where e.tenant_id = $1 and e.id = $2",
        tx.tenant_id,
        event_id,
    )
    if row is None:
        raise event_unknown(event_id=event_id)
    return _from_row(row)


async def events_by_id(tx: Tx, event_ids: Sequence[UUID]) -> dict[UUID, LoggedEvent]:
    """Those of the events that exist, by their ids."""
    rows = await tx.fetch(
        f"select {_COLUMNS} from event e where e.tenant_id = $1 and e.id = any($2::uuid[])",
        tx.tenant_id,
        event_ids,
    )
    return {row["id"]: _from_row(row) for row in rows}


async def events_between(tx: Tx, *, after: int, until: int, limit: int) -> list[LoggedEvent]:
    """Up to `limit` events behind one place in the log and not behind another, in order."""
    rows = await tx.fetch(
        f"""select {_COLUMNS} from event e
            where e.tenant_id = $1 and e.position > $2 and e.position <= $3
            order by e.position limit $4""",
        tx.tenant_id,
        after,
        until,
        limit,
    )
    return [_from_row(row) for row in rows]


async def read_events(tx: Tx, query: EventQuery, *, until: int) -> EventPage:
    """The events that a query asks for, in order, up to the place `until`.

    An index leads to those of a subject or an account. Otherwise a page comes from as much of the log
    as one request may look at, so that it may be short, or empty, although there is more.
    """
    after = query.after
    if after is None:
        after = 0 if query.since is None else await position_before(tx, first_id_at(query.since))
    first_id = first_id_at(query.since) if query.since is not None else None
    directly = query.subject_id is not None or query.account_id is not None
    rows = await tx.fetch(
        f"""select {_COLUMNS} from ({_source(query, directly=directly)}) e
            where ($5::text[] is null or e.type = any($5)) and ($6::uuid is null or e.id >= $6)
                and ($7::uuid is null or e.subject_id = $7)
                and ($8::uuid is null or e.account_id = $8)
            order by e.position limit $4""",
        tx.tenant_id,
        after,
        until,
        query.limit + 1,
        list(query.types) or None,
        first_id,
        query.subject_id,
        query.account_id,
    )
    events = tuple(_from_row(row) for row in rows[: query.limit])
    if len(rows) > query.limit:
        return EventPage(events, events[-1].position, more=True)
    read_to = until if directly else await _looked_to(tx, after=after, until=until)
    return EventPage(events, max(read_to, after), more=read_to < until)


def _source(query: EventQuery, *, directly: bool) -> str:
    section = """select * from event
        where tenant_id = $1 and position > $2 and position <= $3"""
    if not directly:
        return f"{section} order by position limit {_LOOKED_AT}"
    named = "subject_id = $7" if query.subject_id is not None else "account_id = $8"
    return f"{section} and {named}"


async def _looked_to(tx: Tx, *, after: int, until: int) -> int:
    """How far the log has been looked at."""
    position: int | None = await tx.fetch_value(
        f"""select position from event
            where tenant_id = $1 and position > $2 and position <= $3
            order by position offset {_LOOKED_AT - 1} limit 1""",
        tx.tenant_id,
        after,
        until,
    )
    return until if position is None else position


def _from_row(row: asyncpg.Record) -> LoggedEvent:
    return LoggedEvent(
        id=row["id"],
        position=row["position"],
        type=row["type"],
        version=row["version"],
        occurred_at=row["occurred_at"],
        subject_type=row["subject_type"],
        subject_id=row["subject_id"],
        account_id=row["account_id"],
        data=from_json(row["data"]),
    )
