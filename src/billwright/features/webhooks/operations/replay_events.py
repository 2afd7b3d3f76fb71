"""How is an endpoint told again what it was told, or should have been?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from billwright.features.webhooks.errors import (
    webhook_endpoint_disabled,
    webhook_replay_running,
    webhook_replay_too_old,
)
from billwright.features.webhooks.model import Endpoint, EndpointStatus, Replay, ReplayScope
from billwright.features.webhooks.operations.fan_out_events import wake_dispatch
from billwright.features.webhooks.operations.forget_deliveries import KEPT_DAYS
from billwright.features.webhooks.sql.reads_events import (
    event_by_id,
    last_position,
    position_before,
)
from billwright.features.webhooks.sql.writes import (
    lock_endpoint,
    replay_deliveries,
    update_endpoint_row,
)
from billwright.kernel.id_bounds import first_id_at
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySince:
    """Send again what was recorded since an instant, as far as the scope says."""

    endpoint_id: UUID
    since: datetime
    scope: ReplayScope = ReplayScope.UNDELIVERED


async def replay_event(tx: Tx, endpoint_id: UUID, *, event_id: UUID) -> None:
    """Send one event to an endpoint at once, under its own id, whether it was sent before or not.

    Refuses: `webhook_endpoint_unknown`, `webhook_endpoint_disabled`, `event_unknown`.
    """
    endpoint = await _listening(tx, endpoint_id)
    event = await event_by_id(tx, event_id)
    await replay_deliveries(tx, [event], endpoint_id=endpoint.id, scope=ReplayScope.EVERYTHING)
    await update_endpoint_row(tx, _rested(endpoint))
    tx.audit(
        "webhook_endpoint.replay",
        subject_type="webhook_endpoint",
        subject_id=endpoint.id,
        details={"event_id": event_id},
    )
    wake_dispatch(tx)


async def replay_since(tx: Tx, command: ReplaySince) -> Endpoint:
    """Begin to send again; the worker goes through the log in batches.

    Refuses: `webhook_endpoint_unknown`, `webhook_endpoint_disabled`, `webhook_replay_running`,
    `webhook_replay_too_old`.
    """
    endpoint = await _listening(tx, command.endpoint_id)
    if endpoint.replay is not None:
        raise webhook_replay_running(webhook_endpoint_id=endpoint.id)
    if not tx.now - timedelta(days=KEPT_DAYS) <= command.since <= tx.now:
        raise webhook_replay_too_old(pointer="/since", days=KEPT_DAYS)
    first_id = first_id_at(command.since)
    replaying = replace(
        _rested(endpoint),
        replay=Replay(
            after=await position_before(tx, first_id),
            until=await last_position(tx),
            since=first_id,
            scope=command.scope,
        ),
        version=endpoint.version + 1,
        updated_at=tx.now,
    )
    await update_endpoint_row(tx, replaying)
    tx.audit(
        "webhook_endpoint.replay",
        subject_type="webhook_endpoint",
        subject_id=endpoint.id,
        details={"since": command.since, "scope": command.scope},
    )
    wake_dispatch(tx)
    return replaying


async def _listening(tx: Tx, endpoint_id: UUID) -> Endpoint:
    endpoint = await lock_endpoint(tx, endpoint_id)
    if endpoint.status is not EndpointStatus.ENABLED:
        raise webhook_endpoint_disabled(webhook_endpoint_id=endpoint_id)
    return endpoint


def _rested(endpoint: Endpoint) -> Endpoint:
    """Whoever asks for it now thinks that the endpoint is well again."""
    return replace(endpoint, health=replace(endpoint.health, rests_until=None))
