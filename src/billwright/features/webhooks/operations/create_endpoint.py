"""How does a system come to be told of events?"""

from __future__ import annotations

from dataclasses import dataclass

from billwright.features.webhooks.errors import webhook_endpoints_too_many
from billwright.features.webhooks.model import (
    EVERY_TYPE,
    ApiVersion,
    Endpoint,
    EndpointId,
    EndpointStatus,
    Health,
    TargetPolicy,
)
from billwright.features.webhooks.operations.endpoint_secrets import new_secret
from billwright.features.webhooks.operations.event_types import event_types
from billwright.features.webhooks.rules.subscribed import checked_types
from billwright.features.webhooks.rules.target import require_target
from billwright.features.webhooks.sql.reads import count_endpoints
from billwright.features.webhooks.sql.reads_events import position_before
from billwright.features.webhooks.sql.writes import insert_endpoint
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx
from billwright.runtime.secrets import SecretBox

MOST_ENDPOINTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateEndpoint:
    """Tell an address of events of some types, or of every type (`*`)."""

    url: str
    description: str = ""
    event_types: tuple[str, ...] = (EVERY_TYPE,)
    api_version: ApiVersion = ApiVersion.V1


async def create_endpoint(
    tx: Tx, command: CreateEndpoint, *, box: SecretBox, targets: TargetPolicy
) -> Endpoint:
    """An endpoint that is told of everything that happens from now on, and its new secret, sealed.

    Refuses: `webhook_url_invalid`, `webhook_address_private`, `webhook_event_type_unknown`,
    `webhook_endpoints_too_many`.
    """
    require_target(command.url, targets)
    types = checked_types(command.event_types, known=event_types())
    if await count_endpoints(tx) >= MOST_ENDPOINTS:
        raise webhook_endpoints_too_many(maximum=MOST_ENDPOINTS)
    endpoint_id, begins_with = EndpointId(new_id()), new_id()
    _, sealed = new_secret(box, tenant_id=tx.tenant_id, endpoint_id=endpoint_id)
    endpoint = Endpoint(
        id=endpoint_id,
        url=command.url,
        description=command.description,
        event_types=types,
        api_version=command.api_version,
        status=EndpointStatus.ENABLED,
        disabled_reason=None,
        disabled_at=None,
        secret_sealed=sealed,
        former_secret_sealed=None,
        former_secret_until=None,
        delivers_from=begins_with,
        fanned_out_to=await position_before(tx, begins_with),
        replay=None,
        health=Health(),
        version=1,
        created_at=tx.now,
        updated_at=tx.now,
    )
    await insert_endpoint(tx, endpoint)
    tx.audit(
        "webhook_endpoint.create",
        subject_type="webhook_endpoint",
        subject_id=endpoint.id,
        details={"url": endpoint.url, "event_types": types, "api_version": endpoint.api_version},
    )
    return endpoint
