"""Who is told of events, and what became of it?"""

from __future__ import annotations

from uuid import UUID

import asyncpg

from billwright.features.webhooks.errors import webhook_endpoint_unknown
from billwright.features.webhooks.model import (
    ApiVersion,
    Attempt,
    Delivery,
    DeliveryState,
    DisabledReason,
    Endpoint,
    EndpointId,
    EndpointStatus,
    Health,
    Replay,
    ReplayScope,
)
from billwright.runtime.db.tx import Tx

ENDPOINT_COLUMNS = """w.id, w.url, w.description, w.event_types, w.api_version, w.status,
    w.disabled_reason, w.disabled_at, w.secret_sealed, w.former_secret_sealed, w.former_secret_until,
    w.delivers_from, w.fanned_out_to, w.replay_from, w.replay_until, w.replay_since, w.replay_scope,
    w.failures, w.failing_since, w.rests_until, w.version, w.created_at, w.updated_at"""
_DELIVERY_COLUMNS = """d.endpoint_id, d.event_id, d.event_type, d.subject_id, d.position, d.state,
    d.attempts, d.next_attempt_at, d.created_at, d.ended_at"""
_ATTEMPT_COLUMNS = """a.id, a.endpoint_id, a.event_id, a.event_type, a.number, a.sent_at,
    a.duration_ms, a.status, a.error, a.answer"""


async def endpoint_by_id(tx: Tx, endpoint_id: UUID) -> Endpoint:
    """One endpoint. Refuses: `webhook_endpoint_unknown`."""
    row = await tx.fetch_row(
        f"""select {ENDPOINT_COLUMNS} from webhook_endpoint w
            where w.tenant_id = $1 and w.id = $2 and w.status <> 'deleted'""",
        tx.tenant_id,
        endpoint_id,
    )
    if row is None:
        raise webhook_endpoint_unknown(webhook_endpoint_id=endpoint_id)
    return endpoint_from_row(row)


async def list_endpoints(tx: Tx, *, before: UUID | None, limit: int) -> list[Endpoint]:
    """Endpoints, newest first, that come after the one named `before` in that order."""
    rows = await tx.fetch(
        f"""select {ENDPOINT_COLUMNS} from webhook_endpoint w
            where w.tenant_id = $1 and w.status <> 'deleted' and ($2::uuid is null or w.id < $2)
            order by w.id desc limit $3""",
        tx.tenant_id,
        before,
        limit,
    )
    return [endpoint_from_row(row) for row in rows]


async def count_endpoints(tx: Tx) -> int:
    """How many there are that are not deleted."""
    number: int = await tx.fetch_value(
        "select count(*) from webhook_endpoint where tenant_id = $1 and status <> 'deleted'",
        tx.tenant_id,
    )
    return number


async def is_anybody_listening(tx: Tx) -> bool:
    """Whether there is an endpoint that may be told of what happens now."""
    found: bool = await tx.fetch_value(
        """select exists (select from webhook_endpoint
               where tenant_id = $1 and status = 'enabled')""",
        tx.tenant_id,
    )
    return found


async def is_anything_new(tx: Tx) -> bool:
    """Whether the log has events that have not been looked at for some endpoint."""
    found: bool = await tx.fetch_value(
        """select exists (select from webhook_endpoint w
               where w.tenant_id = $1 and w.status = 'enabled'
                   and (w.replay_from is not null or exists (
                       select from event e
                       where e.tenant_id = $1 and e.position > w.fanned_out_to)))""",
        tx.tenant_id,
    )
    return found


async def endpoints_with_due_deliveries(tx: Tx) -> list[EndpointId]:
    """Endpoints to which something can be sent now."""
    rows = await tx.fetch(
        """select w.id from webhook_endpoint w
           where w.tenant_id = $1 and w.status = 'enabled'
               and (w.busy_until is null or w.busy_until <= $2)
               and (w.rests_until is null or w.rests_until <= $2)
               and exists (select from webhook_delivery d
                   where d.tenant_id = $1 and d.endpoint_id = w.id and d.state = 'pending'
                       and d.next_attempt_at <= $2)""",
        tx.tenant_id,
        tx.now,
    )
    return [EndpointId(row["id"]) for row in rows]


async def due_deliveries(tx: Tx, endpoint_id: EndpointId, *, limit: int) -> list[Delivery]:
    """What is to be sent to an endpoint now: of each subject only the first event that is pending."""
    rows = await tx.fetch(
        f"""select {_DELIVERY_COLUMNS} from webhook_delivery d
            where d.tenant_id = $1 and d.endpoint_id = $2 and d.state = 'pending'
                and d.next_attempt_at <= $3
                and d.position = (select b.position from webhook_delivery b
                    where b.tenant_id = $1 and b.endpoint_id = $2 and b.state = 'pending'
                        and b.subject_id = d.subject_id
                    order by b.position limit 1)
            order by d.next_attempt_at, d.position limit $4""",
        tx.tenant_id,
        endpoint_id,
        tx.now,
        limit,
    )
    return [_delivery_from_row(row) for row in rows]


async def list_deliveries(
    tx: Tx,
    endpoint_id: UUID,
    *,
    before: UUID | None,
    limit: int,
    state: DeliveryState | None = None,
) -> list[Delivery]:
    """Deliveries to an endpoint, of the newest event first, that come after the one named `before`."""
    rows = await tx.fetch(
        f"""select {_DELIVERY_COLUMNS} from webhook_delivery d
            where d.tenant_id = $1 and d.endpoint_id = $2 and ($3::uuid is null or d.event_id < $3)
                {"and d.state = $5" if state else ""}
            order by d.event_id desc limit $4""",
        tx.tenant_id,
        endpoint_id,
        before,
        limit,
        *([state.value] if state else []),
    )
    return [_delivery_from_row(row) for row in rows]


async def list_attempts(
    tx: Tx,
    *,
    before: UUID | None,
    limit: int,
    endpoint_id: UUID | None = None,
    event_id: UUID | None = None,
) -> list[Attempt]:
    """What was sent to an endpoint, or about an event, newest first, after the one named `before`."""
    rows = await tx.fetch(
        f"""select {_ATTEMPT_COLUMNS} from webhook_attempt a
            where a.tenant_id = $1 and {_about(event_id)} = $4 and ($2::uuid is null or a.id < $2)
            order by a.id desc limit $3""",
        tx.tenant_id,
        before,
        limit,
        endpoint_id if event_id is None else event_id,
    )
    return [_attempt_from_row(row) for row in rows]


def endpoint_from_row(row: asyncpg.Record) -> Endpoint:
    """An endpoint from `ENDPOINT_COLUMNS`."""
    return Endpoint(
        id=EndpointId(row["id"]),
        url=row["url"],
        description=row["description"],
        event_types=tuple(row["event_types"]),
        api_version=ApiVersion(row["api_version"]),
        status=EndpointStatus(row["status"]),
        disabled_reason=_reason(row["disabled_reason"]),
        disabled_at=row["disabled_at"],
        secret_sealed=row["secret_sealed"],
        former_secret_sealed=row["former_secret_sealed"],
        former_secret_until=row["former_secret_until"],
        delivers_from=row["delivers_from"],
        fanned_out_to=row["fanned_out_to"],
        replay=_replay(row),
        health=Health(row["failures"], row["failing_since"], row["rests_until"]),
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _about(event_id: UUID | None) -> str:
    return "a.endpoint_id" if event_id is None else "a.event_id"


def _reason(text: str | None) -> DisabledReason | None:
    return None if text is None else DisabledReason(text)


def _replay(row: asyncpg.Record) -> Replay | None:
    if row["replay_from"] is None:
        return None
    return Replay(
        after=row["replay_from"],
        until=row["replay_until"],
        since=row["replay_since"],
        scope=ReplayScope(row["replay_scope"]),
    )


def _delivery_from_row(row: asyncpg.Record) -> Delivery:
    return Delivery(
        endpoint_id=EndpointId(row["endpoint_id"]),
        event_id=row["event_id"],
        event_type=row["event_type"],
        subject_id=row["subject_id"],
        position=row["position"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        next_attempt_at=row["next_attempt_at"],
        created_at=row["created_at"],
        ended_at=row["ended_at"],
    )


def _attempt_from_row(row: asyncpg.Record) -> Attempt:
    return Attempt(
        id=row["id"],
        endpoint_id=EndpointId(row["endpoint_id"]),
        event_id=row["event_id"],
        event_type=row["event_type"],
        number=row["number"],
        sent_at=row["sent_at"],
        duration_ms=row["duration_ms"],
        status=row["status"],
        error=row["error"],
        answer=row["answer"],
    )
