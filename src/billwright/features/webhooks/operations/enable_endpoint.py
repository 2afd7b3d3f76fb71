"""How is an endpoint told of events again?"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from billwright.features.webhooks.model import Endpoint, EndpointStatus, Health
from billwright.features.webhooks.sql.reads_events import position_before
from billwright.features.webhooks.sql.writes import lock_endpoint, update_endpoint_row
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


async def enable_endpoint(
    tx: Tx, endpoint_id: UUID, *, expected_version: int | None = None
) -> Endpoint:
    """Tell an endpoint of what happens from now on. What happened while it was disabled is sent by a
    replay. For one that is enabled, nothing changes.

    Refuses: `webhook_endpoint_unknown`, `webhook_endpoint_stale`.
    """
    endpoint = await lock_endpoint(tx, endpoint_id, expected_version=expected_version)
    if endpoint.status is EndpointStatus.ENABLED:
        return endpoint
    begins_with = new_id()
    enabled = replace(
        endpoint,
        status=EndpointStatus.ENABLED,
        disabled_reason=None,
        disabled_at=None,
        delivers_from=begins_with,
        fanned_out_to=await position_before(tx, begins_with),
        health=Health(),
        version=endpoint.version + 1,
        updated_at=tx.now,
    )
    await update_endpoint_row(tx, enabled)
    tx.audit("webhook_endpoint.enable", subject_type="webhook_endpoint", subject_id=endpoint.id)
    return enabled
