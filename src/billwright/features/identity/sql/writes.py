"""How do keys change?"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from billwright.features.identity.model import ApiKey
from billwright.features.identity.rules.key_text import KeyText
from billwright.runtime.db.tx import Tx


async def insert_api_key(
    tx: Tx, *, key_id: UUID, name: str, key: KeyText, scopes: list[str], expires_at: datetime | None
) -> None:
    """Store a key by its digest."""
    await tx.execute(
        """insert into api_key (tenant_id, id, name, digest, hint, scopes, created_at, expires_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8)""",
        tx.tenant_id,
        key_id,
        name,
        key.digest,
        key.hint,
        scopes,
        tx.now,
        expires_at,
    )


async def mark_revoked(tx: Tx, key_id: UUID) -> int:
    """Revoke a key that is not revoked yet; returns how many were."""
    return await tx.execute(
        "update api_key set revoked_at = $3 where tenant_id = $1 and id = $2 and revoked_at is null",
        tx.tenant_id,
        key_id,
        tx.now,
    )


async def set_name(tx: Tx, key_id: UUID, *, name: str) -> None:
    """Give a key another name."""
    await tx.execute(
        "update api_key set name = $3 where tenant_id = $1 and id = $2", tx.tenant_id, key_id, name
    )


async def note_use(tx: Tx, key: ApiKey) -> None:
    """Say that a key is in use, unless another caller does at the same time: nobody waits for this."""
    await tx.execute(
        """update api_key set last_used_at = $3
           where tenant_id = $1 and id = (
               select id from api_key
               where tenant_id = $1 and id = $2 and last_used_at is not distinct from $4
               for no key update skip locked)""",
        tx.tenant_id,
        key.id,
        tx.now,
        key.last_used_at,
    )
