"""What is in the audit log?"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg

from billwright.features.audit.model import AuditQuery, AuditRecord
from billwright.kernel.actor import Actor, ActorKind, ActorToken
from billwright.kernel.id_bounds import first_id_at
from billwright.runtime.db.conditions import Conditions
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx

_COLUMNS = """a.id, a.action, a.subject_type, a.subject_id, a.actor_kind, a.actor_name, a.actor_id,
    a.token_id, a.token_name, a.cause, a.address, a.request_id, a.occurred_at, a.details"""

# The actions that there are, each found by one step through the index, whatever order the database sorts
# text in; and the newest entries of each that is wanted.
_OF_ACTIONS = """with recursive known (action) as (
        (select k.action from audit_entry k where k.tenant_id = $1 order by k.action limit 1)
        union all
        select (select k.action from audit_entry k where k.tenant_id = $1 and k.action > known.action
            order by k.action limit 1)
        from known where known.action is not null)
    select {columns} from known cross join lateral (
        select * from audit_entry a
        where {wanted} and a.action = known.action
        order by a.id desc limit {most}) a
    where starts_with(known.action, {prefix})
    order by a.id desc limit {most}"""


async def list_entries(
    tx: Tx, query: AuditQuery, *, before: UUID | None, limit: int
) -> list[AuditRecord]:
    """Entries, newest first, that come after the one named `before` in that order."""
    wanted = Conditions("a.tenant_id = {}", tx.tenant_id)
    wanted.add("a.id < {}", before)
    wanted.add("a.id >= {}", _first_id(query.since))
    wanted.add("a.id < {}", _first_id(query.until))
    wanted.add("a.actor_id = {}", query.actor_id)
    wanted.add("a.subject_id = {}", query.subject_id)
    wanted.add("a.request_id = {}", query.request_id)
    rows = await tx.fetch(_select(wanted, query.action, limit=limit), *wanted.values)
    return [_from_row(row) for row in rows]


def _select(wanted: Conditions, action: str | None, *, limit: int) -> str:
    if action is not None and action.endswith("."):
        return _OF_ACTIONS.format(
            columns=_COLUMNS,
            wanted=wanted.sql,
            prefix=wanted.parameter(action),
            most=wanted.parameter(limit),
        )
    wanted.add("a.action = {}", action)
    return f"""select {_COLUMNS} from audit_entry a
        where {wanted.sql}
        order by a.id desc limit {wanted.parameter(limit)}"""


def _first_id(instant: datetime | None) -> UUID | None:
    return None if instant is None else first_id_at(instant)


def _from_row(row: asyncpg.Record) -> AuditRecord:
    return AuditRecord(
        id=row["id"],
        action=row["action"],
        subject_type=row["subject_type"],
        subject_id=row["subject_id"],
        actor=_actor(row),
        cause=row["cause"],
        address=row["address"],
        request_id=row["request_id"],
        occurred_at=row["occurred_at"],
        details=from_json(row["details"]),
    )


def _actor(row: asyncpg.Record) -> Actor:
    token_id = row["token_id"]
    token = None if token_id is None else ActorToken(token_id, row["token_name"])
    return Actor(ActorKind(row["actor_kind"]), row["actor_name"], row["actor_id"], token)
