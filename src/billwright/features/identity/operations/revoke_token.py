"""How does a personal access token stop working?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.identity.sql.reads_sessions import token_by_id
from billwright.features.identity.sql.writes_sessions import mark_token_revoked
from billwright.runtime.db.tx import Tx


async def revoke_token(tx: Tx, *, user_id: UUID, token_id: UUID) -> None:
    """Revoke a user's token for good, and with it the sessions that it was exchanged for; revoking it
    again changes nothing. Refuses: `token_unknown`.
    """
    if await mark_token_revoked(tx, token_id, user_id=user_id):
        tx.audit(
            "token.revoke",
            subject_type="personal_access_token",
            subject_id=token_id,
            details={"user_id": user_id},
        )
    else:
        await token_by_id(tx, token_id, user_id=user_id)
