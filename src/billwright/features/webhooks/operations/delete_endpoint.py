"""How does an endpoint go away?"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from billwright.features.webhooks.model import DisabledReason, EndpointStatus
from billwright.features.webhooks.sql.writes import (
    cancel_deliveries,
    lock_endpoint,
    update_endpoint_row,
)
from billwright.runtime.db.tx import Tx


async def delete_endpoint(
    tx: Tx, endpoint_id: UUID, *, expected_version: int | None = None
) -> None:
    """Send nothing there any more, and forget it; its row goes when the log of what was sent there does.
    Refuses: `webhook_endpoint_unknown`, `webhook_endpoint_stale`.
    """
    endpoint = await lock_endpoint(tx, endpoint_id, expected_version=expected_version)
    deleted = replace(
        endpoint,
        status=EndpointStatus.DELETED,
        disabled_reason=endpoint.disabled_reason or DisabledReason.REQUESTED,
        disabled_at=endpoint.disabled_at or tx.now,
        former_secret_sealed=None,
        former_secret_until=None,
        replay=None,
        version=endpoint.version + 1,
        updated_at=tx.now,
    )
    await update_endpoint_row(tx, deleted)
    await cancel_deliveries(tx, endpoint.id)
    tx.audit(
        "webhook_endpoint.delete",
        subject_type="webhook_endpoint",
        subject_id=endpoint.id,
        details={"url": endpoint.url},
    )
