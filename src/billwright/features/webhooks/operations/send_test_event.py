"""How does somebody see a webhook arrive?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.webhooks.errors import webhook_endpoint_disabled
from billwright.features.webhooks.events import WebhookEndpointTested
from billwright.features.webhooks.model import EndpointStatus
from billwright.features.webhooks.sql.writes import lock_endpoint
from billwright.runtime.db.tx import Tx


async def send_test_event(tx: Tx, endpoint_id: UUID) -> UUID:
    """Publish an event that only this endpoint is told of, whatever it has subscribed to; its id.

    Refuses: `webhook_endpoint_unknown`, `webhook_endpoint_disabled`.
    """
    endpoint = await lock_endpoint(tx, endpoint_id)
    if endpoint.status is not EndpointStatus.ENABLED:
        raise webhook_endpoint_disabled(webhook_endpoint_id=endpoint_id)
    tx.publish(
        WebhookEndpointTested(
            subject_id=endpoint.id, account_id=None, message="This is a test. Nothing has happened."
        )
    )
    tx.audit("webhook_endpoint.test", subject_type="webhook_endpoint", subject_id=endpoint.id)
    event_id, _, _ = tx.events[-1]
    return UUID(event_id)
