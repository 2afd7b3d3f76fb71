"""What does the database know of keys?"""

from __future__ import annotations

from uuid import UUID

import asyncpg

from billwright.features.identity.model import ApiKey
from billwright.runtime.db.tx import Tx

_COLUMNS = "id, name, hint, scopes, created_at, expires_at, revoked_at"


async def api_key_by_digest(tx: Tx, digest: bytes) -> ApiKey | None:
    """The tenant's key with this digest, whatever its state."""
    row = await tx.fetch_row(
        f"select {_COLUMNS} from api_key where tenant_id = $1 and digest = $2",
        tx.tenant_id,
        digest,
    )
    return None if row is None else _from_row(row)


async def api_keys(tx: Tx) -> list[ApiKey]:
    """All keys of the tenant, oldest first, those that open nothing any more included."""
    rows = await tx.fetch(
        f"select {_COLUMNS} from api_key where tenant_id = $1 order by id", tx.tenant_id
    )
    return [_from_row(row) for row in rows]


async def api_key_exists(tx: Tx, key_id: UUID) -> bool:
    """Whether the tenant has this key, whatever its state."""
    found: bool = await tx.fetch_value(
        "select exists (select from api_key where tenant_id = $1 and id = $2)", tx.tenant_id, key_id
    )
    return found


def _from_row(row: asyncpg.Record) -> ApiKey:
    return ApiKey(**{**row, "scopes": tuple(row["scopes"])})
