"""How does what an endpoint is told of, or where it is, change?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypedDict
from uuid import UUID

from billwright.features.webhooks.model import ApiVersion, Endpoint, TargetPolicy
from billwright.features.webhooks.operations.event_types import event_types
from billwright.features.webhooks.rules.subscribed import checked_types
from billwright.features.webhooks.rules.target import require_target
from billwright.features.webhooks.sql.writes import lock_endpoint, update_endpoint_row
from billwright.runtime.db.tx import Tx


class EndpointChanges(TypedDict, total=False):
    """What may change; what is not named stays."""

    url: str
    description: str
    event_types: tuple[str, ...]
    api_version: ApiVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateEndpoint:
    """Change some fields of an endpoint."""

    endpoint_id: UUID
    changes: EndpointChanges
    expected_version: int | None = None


async def update_endpoint(tx: Tx, command: UpdateEndpoint, *, targets: TargetPolicy) -> Endpoint:
    """Change an endpoint; what waits for it already goes to its new address.

    Refuses: `webhook_endpoint_unknown`, `webhook_endpoint_stale`, `webhook_url_invalid`,
    `webhook_address_private`, `webhook_event_type_unknown`.
    """
    endpoint = await lock_endpoint(
        tx, command.endpoint_id, expected_version=command.expected_version
    )
    asked = replace(endpoint, **command.changes)
    require_target(asked.url, targets)
    if asked.event_types != endpoint.event_types:
        types = checked_types(asked.event_types, known=event_types())
        asked = replace(asked, event_types=types)
    changed = sorted(
        name
        for name in EndpointChanges.__annotations__
        if getattr(asked, name) != getattr(endpoint, name)
    )
    if not changed:
        return endpoint
    updated = replace(asked, version=endpoint.version + 1, updated_at=tx.now)
    await update_endpoint_row(tx, updated)
    tx.audit(
        "webhook_endpoint.update",
        subject_type="webhook_endpoint",
        subject_id=updated.id,
        details={"changed": {name: getattr(updated, name) for name in changed}},
    )
    return updated
