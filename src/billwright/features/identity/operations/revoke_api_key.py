"""How does a key stop working?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.identity.errors import api_key_unknown
from billwright.features.identity.sql.reads import api_key_exists
from billwright.features.identity.sql.writes import mark_revoked
from billwright.runtime.db.tx import Tx


async def revoke_api_key(tx: Tx, key_id: UUID) -> None:
    """Revoke a key for good; revoking it again changes nothing. Refuses: `api_key_unknown`."""
    if await mark_revoked(tx, key_id):
        tx.audit("api_key.revoke", subject_type="api_key", subject_id=key_id)
    elif not await api_key_exists(tx, key_id):
        raise api_key_unknown(api_key_id=key_id)
