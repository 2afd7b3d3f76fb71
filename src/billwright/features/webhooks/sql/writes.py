"""How do endpoints and deliveries come to be and change?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from billwright.features.webhooks.errors import (
    webhook_endpoint_stale,
    webhook_endpoint_unknown,
)
from billwright.features.webhooks.model import (
    Attempt,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointId,
    LoggedEvent,
    ReplayScope,
)
from billwright.features.webhooks.sql.reads import ENDPOINT_COLUMNS, endpoint_from_row
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx

# What a replay sends; what waits for its next attempt is sent at once.
_REPLAYED = {
    ReplayScope.UNDELIVERED: ["pending", "failed", "canceled"],
    ReplayScope.EVERYTHING: ["pending", "failed", "canceled", "delivered"],
}


async def insert_endpoint(tx: Tx, endpoint: Endpoint) -> None:
    """Store a new endpoint."""
    await tx.insert("webhook_endpoint", [_row_of(endpoint)])


async def lock_endpoint(
    tx: Tx, endpoint_id: UUID, *, expected_version: int | None = None
) -> Endpoint:
    """An endpoint, locked until the commit. Refuses: `webhook_endpoint_unknown`,
    `webhook_endpoint_stale`.
    """
    row = await tx.fetch_row(
        f"""select {ENDPOINT_COLUMNS} from webhook_endpoint w
            where w.tenant_id = $1 and w.id = $2 and w.status <> 'deleted' for no key update""",
        tx.tenant_id,
        endpoint_id,
    )
    if row is None:
        raise webhook_endpoint_unknown(webhook_endpoint_id=endpoint_id)
    if expected_version not in {None, row["version"]}:
        raise webhook_endpoint_stale(expected=expected_version, actual=row["version"])
    return endpoint_from_row(row)


async def lock_endpoints_behind(tx: Tx, position: int) -> list[Endpoint]:
    """The endpoints that listen and for which the log has not been looked at up to a place, or for which
    a part of it is replayed; locked until the commit.
    """
    rows = await tx.fetch(
        f"""select {ENDPOINT_COLUMNS} from webhook_endpoint w
            where w.tenant_id = $1 and w.status = 'enabled'
                and (w.fanned_out_to < $2 or w.replay_from is not null)
            order by w.id for no key update""",
        tx.tenant_id,
        position,
    )
    return [endpoint_from_row(row) for row in rows]


async def update_endpoint_row(tx: Tx, endpoint: Endpoint) -> None:
    """Store all of an endpoint that the caller has locked."""
    await tx.execute(
        """update webhook_endpoint w
           set url = u.url, description = u.description, event_types = u.event_types,
               api_version = u.api_version, status = u.status, disabled_reason = u.disabled_reason,
               disabled_at = u.disabled_at, secret_sealed = u.secret_sealed,
               former_secret_sealed = u.former_secret_sealed,
               former_secret_until = u.former_secret_until, delivers_from = u.delivers_from,
               fanned_out_to = u.fanned_out_to, replay_from = u.replay_from,
               replay_until = u.replay_until, replay_since = u.replay_since,
               replay_scope = u.replay_scope, failures = u.failures,
               failing_since = u.failing_since, rests_until = u.rests_until, version = u.version,
               updated_at = u.updated_at
           from json_populate_record(null::webhook_endpoint, $3::json) as u
           where w.tenant_id = $1 and w.id = $2""",
        tx.tenant_id,
        endpoint.id,
        to_json(_row_of(endpoint)),
    )


async def occupy_endpoint(
    tx: Tx, endpoint_id: EndpointId, *, busy_until: datetime
) -> Endpoint | None:
    """Keep everybody else from sending to an endpoint until an instant; none when nothing can be sent
    there now, or somebody else does.
    """
    row = await tx.fetch_row(
        f"""update webhook_endpoint w set busy_until = $3
            where w.tenant_id = $1 and w.id = $2 and w.status = 'enabled'
                and (w.busy_until is null or w.busy_until <= $4)
                and (w.rests_until is null or w.rests_until <= $4)
            returning {ENDPOINT_COLUMNS}""",
        tx.tenant_id,
        endpoint_id,
        busy_until,
        tx.now,
    )
    return None if row is None else endpoint_from_row(row)


async def release_endpoint(tx: Tx, endpoint_id: EndpointId) -> None:
    """Let others send there again."""
    await tx.execute(
        "update webhook_endpoint set busy_until = null where tenant_id = $1 and id = $2",
        tx.tenant_id,
        endpoint_id,
    )


async def insert_deliveries(
    tx: Tx, events: Sequence[LoggedEvent], *, endpoint_id: EndpointId
) -> int:
    """Send events to an endpoint; those that it has, or has had, stay as they are."""
    return await tx.insert(
        "webhook_delivery",
        [_new_delivery(event) for event in events],
        shared=_pending(tx, endpoint_id),
        on_conflict="on conflict do nothing",
    )


async def replay_deliveries(
    tx: Tx, events: Sequence[LoggedEvent], *, endpoint_id: EndpointId, scope: ReplayScope
) -> int:
    """Send events to an endpoint, also again, as far as the scope says; how many that are."""
    again = await tx.execute(
        """update webhook_delivery
           set state = 'pending', attempts = 0, next_attempt_at = $4, ended_at = null
           where tenant_id = $1 and endpoint_id = $2 and event_id = any($3::uuid[])
               and state = any($5::text[])""",
        tx.tenant_id,
        endpoint_id,
        [event.id for event in events],
        tx.now,
        _REPLAYED[scope],
    )
    return again + await insert_deliveries(tx, events, endpoint_id=endpoint_id)


async def record_deliveries(tx: Tx, deliveries: Sequence[Delivery]) -> None:
    """Store what became of deliveries, in one statement.

    What was canceled while it was under way stays so, unless it has arrived.
    """
    await tx.execute(
        """update webhook_delivery d
           set state = u.state, attempts = u.attempts, next_attempt_at = u.next_attempt_at,
               ended_at = case when u.state <> 'pending' then $2::timestamptz end
           from unnest($3::uuid[], $4::uuid[], $5::text[], $6::int[], $7::timestamptz[])
               as u (endpoint_id, event_id, state, attempts, next_attempt_at)
           where d.tenant_id = $1 and d.endpoint_id = u.endpoint_id and d.event_id = u.event_id
               and (d.state = 'pending' or u.state = 'delivered')""",
        tx.tenant_id,
        tx.now,
        [delivery.endpoint_id for delivery in deliveries],
        [delivery.event_id for delivery in deliveries],
        [delivery.state.value for delivery in deliveries],
        [delivery.attempts for delivery in deliveries],
        [delivery.next_attempt_at for delivery in deliveries],
    )


async def insert_attempts(tx: Tx, attempts: Sequence[Attempt]) -> None:
    """Keep what was sent and answered."""
    await tx.insert(
        "webhook_attempt",
        [
            {
                "id": attempt.id,
                "endpoint_id": attempt.endpoint_id,
                "event_id": attempt.event_id,
                "event_type": attempt.event_type,
                "number": attempt.number,
                "sent_at": attempt.sent_at,
                "duration_ms": attempt.duration_ms,
                "status": attempt.status,
                "error": attempt.error,
                "answer": attempt.answer,
            }
            for attempt in attempts
        ],
    )


async def cancel_deliveries(tx: Tx, endpoint_id: EndpointId) -> int:
    """Send nothing of what waits for an endpoint; how many events that were."""
    return await tx.execute(
        """update webhook_delivery
           set state = 'canceled', next_attempt_at = null, ended_at = $3
           where tenant_id = $1 and endpoint_id = $2 and state = 'pending'""",
        tx.tenant_id,
        endpoint_id,
        tx.now,
    )


async def forget_deliveries(tx: Tx, *, before: UUID, limit: int) -> int:
    """Delete some deliveries that have ended and attempts, those with ids before `before`; how many."""
    deliveries = await tx.execute(
        """delete from webhook_delivery d where d.tenant_id = $1 and (d.endpoint_id, d.event_id) in (
               select o.endpoint_id, o.event_id from webhook_delivery o
               where o.tenant_id = $1 and o.event_id < $2 and o.state <> 'pending'
               order by o.event_id limit $3)""",
        tx.tenant_id,
        before,
        limit,
    )
    attempts = await tx.execute(
        """delete from webhook_attempt where tenant_id = $1 and id in (
               select a.id from webhook_attempt a where a.tenant_id = $1 and a.id < $2
               order by a.id limit $3)""",
        tx.tenant_id,
        before,
        limit,
    )
    return deliveries + attempts


async def forget_endpoints(tx: Tx) -> int:
    """Delete the rows of deleted endpoints of which nothing else is kept; how many."""
    return await tx.execute(
        """delete from webhook_endpoint w
           where w.tenant_id = $1 and w.status = 'deleted'
               and not exists (select from webhook_delivery d
                   where d.tenant_id = $1 and d.endpoint_id = w.id)
               and not exists (select from webhook_attempt a
                   where a.tenant_id = $1 and a.endpoint_id = w.id)""",
        tx.tenant_id,
    )


def _pending(tx: Tx, endpoint_id: EndpointId) -> dict[str, object]:
    return {
        "endpoint_id": endpoint_id,
        "state": DeliveryState.PENDING,
        "attempts": 0,
        "next_attempt_at": tx.now,
        "created_at": tx.now,
    }


def _new_delivery(event: LoggedEvent) -> dict[str, object]:
    return {
        "event_id": event.id,
        "event_type": event.type,
        "subject_id": event.subject_id,
        "position": event.position,
    }


def _row_of(endpoint: Endpoint) -> dict[str, object]:
    replay, health = endpoint.replay, endpoint.health
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "description": endpoint.description,
        "event_types": endpoint.event_types,
        "api_version": endpoint.api_version,
        "status": endpoint.status,
        "disabled_reason": endpoint.disabled_reason,
        "disabled_at": endpoint.disabled_at,
        "secret_sealed": endpoint.secret_sealed,
        "former_secret_sealed": endpoint.former_secret_sealed,
        "former_secret_until": endpoint.former_secret_until,
        "delivers_from": endpoint.delivers_from,
        "fanned_out_to": endpoint.fanned_out_to,
        "replay_from": replay.after if replay else None,
        "replay_until": replay.until if replay else None,
        "replay_since": replay.since if replay else None,
        "replay_scope": replay.scope if replay else None,
        "failures": health.failures,
        "failing_since": health.failing_since,
        "rests_until": health.rests_until,
        "version": endpoint.version,
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
    }
