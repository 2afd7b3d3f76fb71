"""How is an endpoint told nothing any more?"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from billwright.features.webhooks.events import WebhookEndpointDisabled
from billwright.features.webhooks.model import DisabledReason, Endpoint, EndpointStatus
from billwright.features.webhooks.sql.writes import (
    cancel_deliveries,
    lock_endpoint,
    update_endpoint_row,
)
from billwright.runtime.db.tx import Tx


async def disable_endpoint(
    tx: Tx,
    endpoint_id: UUID,
    *,
    reason: DisabledReason = DisabledReason.REQUESTED,
    expected_version: int | None = None,
) -> Endpoint:
    """Send nothing there any more; what waits is canceled, and so is a replay. For one that is disabled,
    nothing changes. Refuses: `webhook_endpoint_unknown`, `webhook_endpoint_stale`.
    """
    endpoint = await lock_endpoint(tx, endpoint_id, expected_version=expected_version)
    if endpoint.status is EndpointStatus.DISABLED:
        return endpoint
    disabled = replace(
        endpoint,
        status=EndpointStatus.DISABLED,
        disabled_reason=reason,
        disabled_at=tx.now,
        replay=None,
        version=endpoint.version + 1,
        updated_at=tx.now,
    )
    await update_endpoint_row(tx, disabled)
    canceled = await cancel_deliveries(tx, endpoint.id)
    tx.publish(
        WebhookEndpointDisabled(
            subject_id=endpoint.id, account_id=None, url=endpoint.url, reason=reason.value
        )
    )
    tx.audit(
        "webhook_endpoint.disable",
        subject_type="webhook_endpoint",
        subject_id=endpoint.id,
        details={"reason": reason, "canceled_deliveries": canceled},
    )
    return disabled
