"""How does a key stop working?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.identity.sql.writes import mark_revoked
from billwright.runtime.db.tx import Tx


async def revoke_api_key(tx: Tx, key_id: UUID) -> None:
    """Revoke a key for good; revoking it again changes nothing."""
    if await mark_revoked(tx, key_id):
        tx.audit("api_key.revoke", subject_type="api_key", subject_id=key_id)
