"""What does the database know of keys?"""

from __future__ import annotations

from billwright.features.identity.model import ApiKey
from billwright.runtime.db.tx import Tx


async def api_key_by_digest(tx: Tx, digest: bytes) -> ApiKey | None:
    """The tenant's key with this digest, whatever its state."""
    row = await tx.fetch_row(
        """select id, name, hint, scopes, expires_at, revoked_at
           from api_key where tenant_id = $1 and digest = $2""",
        tx.tenant_id,
        digest,
    )
    if row is None:
        return None
    return ApiKey(
        row["id"],
        row["name"],
        row["hint"],
        tuple(row["scopes"]),
        row["expires_at"],
        row["revoked_at"],
    )
