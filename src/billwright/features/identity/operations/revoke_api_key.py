"""How does a key stop working?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.identity.model import ApiKey
from billwright.features.identity.sql.reads import api_key_by_id
from billwright.features.identity.sql.writes import mark_revoked
from billwright.runtime.db.tx import Tx


async def revoke_api_key(tx: Tx, key_id: UUID) -> ApiKey:
    """Revoke a key for good; revoking it again changes nothing. Refuses: `api_key_unknown`."""
    if await mark_revoked(tx, key_id):
        tx.audit("api_key.revoke", subject_type="api_key", subject_id=key_id)
    return await api_key_by_id(tx, key_id)
