"""How does an endpoint get another secret without missing a message?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from billwright.features.webhooks.model import Endpoint
from billwright.features.webhooks.operations.endpoint_secrets import new_secret
from billwright.features.webhooks.sql.writes import lock_endpoint, update_endpoint_row
from billwright.runtime.db.tx import Tx
from billwright.runtime.secrets import SecretBox

FORMER_SECRET_SIGNS_FOR = timedelta(hours=24)


async def rotate_secret(
    tx: Tx, endpoint_id: UUID, *, box: SecretBox, expected_version: int | None = None
) -> Endpoint:
    """Give an endpoint a new secret. For a day, the one that it replaces signs every message as well; one
    that was replaced earlier signs none any more.

    Refuses: `webhook_endpoint_unknown`, `webhook_endpoint_stale`.
    """
    endpoint = await lock_endpoint(tx, endpoint_id, expected_version=expected_version)
    _, sealed = new_secret(box, tenant_id=tx.tenant_id, endpoint_id=endpoint.id)
    rotated = replace(
        endpoint,
        secret_sealed=sealed,
        former_secret_sealed=endpoint.secret_sealed,
        former_secret_until=tx.now + FORMER_SECRET_SIGNS_FOR,
        version=endpoint.version + 1,
        updated_at=tx.now,
    )
    await update_endpoint_row(tx, rotated)
    tx.audit(
        "webhook_endpoint.rotate_secret",
        subject_type="webhook_endpoint",
        subject_id=endpoint.id,
        details={"former_secret_until": rotated.former_secret_until},
    )
    return rotated
