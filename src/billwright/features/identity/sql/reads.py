"""What does the database know of keys?"""

from __future__ import annotations

from uuid import UUID

import asyncpg

from billwright.features.identity.errors import api_key_unknown
from billwright.features.identity.model import ApiKey, ApiKeyStatus
from billwright.runtime.db.tx import Tx

_COLUMNS = "id, name, hint, scopes, created_at, expires_at, revoked_at, last_used_at"


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


async def list_api_keys(
    tx: Tx, *, before: UUID | None, limit: int, status: ApiKeyStatus | None = None
) -> list[ApiKey]:
    """Keys of the tenant, newest first, before the one with that id."""
    rows = await tx.fetch(
        f"""select {_COLUMNS} from api_key
            where tenant_id = $1 and ($2::uuid is null or id < $2)
                and ($3::text is null or $3 = case when revoked_at is not null then 'revoked'
                    when expires_at <= $4 then 'expired' else 'active' end)
            order by id desc limit $5""",
        tx.tenant_id,
        before,
        status,
        tx.now,
        limit,
    )
    return [_from_row(row) for row in rows]


async def api_key_by_id(tx: Tx, key_id: UUID) -> ApiKey:
    """The tenant's key, whatever its state. Refuses: `api_key_unknown`."""
    key = await find_api_key(tx, key_id)
    if key is None:
        raise api_key_unknown(api_key_id=key_id)
    return key


async def find_api_key(tx: Tx, key_id: UUID) -> ApiKey | None:
    """The tenant's key, whatever its state, if there is one."""
    row = await tx.fetch_row(
        f"select {_COLUMNS} from api_key where tenant_id = $1 and id = $2", tx.tenant_id, key_id
    )
    return None if row is None else _from_row(row)


def _from_row(row: asyncpg.Record) -> ApiKey:
    return ApiKey(**{**row, "scopes": tuple(row["scopes"])})
