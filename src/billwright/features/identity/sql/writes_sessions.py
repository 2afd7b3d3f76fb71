"""How do sessions end, and how do tokens change?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from billwright.features.identity.model import PersonalAccessToken
from billwright.runtime.db.tx import Tx


async def insert_ended_session(tx: Tx, jti: UUID, *, expires_at: datetime) -> int:
    """Note that a session has ended before its time; returns whether that is new."""
    return await tx.execute(
        """insert into revoked_session (tenant_id, jti, expires_at) values ($1, $2, $3)
           on conflict do nothing""",
        tx.tenant_id,
        jti,
        expires_at,
    )


async def delete_ended_sessions(tx: Tx) -> int:
    """Forget the ended sessions whose time is over anyway; returns how many."""
    return await tx.execute(
        "delete from revoked_session where tenant_id = $1 and expires_at <= $2",
        tx.tenant_id,
        tx.now,
    )


async def advance_token_version(tx: Tx, user_id: UUID) -> int:
    """End every session of a user; returns whether there is such a user."""
    return await tx.execute(
        "update app_user set token_version = token_version + 1 where tenant_id = $1 and id = $2",
        tx.tenant_id,
        user_id,
    )


async def insert_token(tx: Tx, token: PersonalAccessToken, *, digest: bytes) -> None:
    """Store a new token by its digest."""
    await tx.execute(
        """insert into personal_access_token
               (tenant_id, id, user_id, name, prefix, digest, scopes, expires_at, created_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        tx.tenant_id,
        token.id,
        token.user_id,
        token.name,
        token.prefix,
        digest,
        list(token.scopes),
        token.expires_at,
        token.created_at,
    )


async def update_token(
    tx: Tx, token_id: UUID, *, user_id: UUID, name: str, scopes: Sequence[str]
) -> int:
    """Give a user's token that is not revoked another name and other scopes; returns how many."""
    return await tx.execute(
        """update personal_access_token set name = $4, scopes = $5
           where tenant_id = $1 and id = $2 and user_id = $3 and revoked_at is null""",
        tx.tenant_id,
        token_id,
        user_id,
        name,
        list(scopes),
    )


async def mark_token_revoked(tx: Tx, token_id: UUID, *, user_id: UUID) -> int:
    """Revoke a user's token that is not revoked yet; returns how many were."""
    return await tx.execute(
        """update personal_access_token set revoked_at = $4
           where tenant_id = $1 and id = $2 and user_id = $3 and revoked_at is null""",
        tx.tenant_id,
        token_id,
        user_id,
        tx.now,
    )


async def note_token_use(tx: Tx, token: PersonalAccessToken) -> None:
    """Say that a token is in use, unless somebody else does at the same time: nobody waits for this."""
    await tx.execute(
        """update personal_access_token set last_used_at = $3
           where tenant_id = $1 and id = (
               select id from personal_access_token
               where tenant_id = $1 and id = $2 and last_used_at is not distinct from $4
               for no key update skip locked)""",
        tx.tenant_id,
        token.id,
        tx.now,
        token.last_used_at,
    )
