"""What does the database know of sessions and of tokens?"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

import asyncpg

from billwright.features.identity.errors import token_unknown
from billwright.features.identity.model import PersonalAccessToken, User
from billwright.features.identity.rules.claims import SessionClaims
from billwright.features.identity.sql.user_rows import USER_COLUMNS, user_from_row
from billwright.runtime.db.tx import Tx

_FIELDS = tuple(PersonalAccessToken.__dataclass_fields__)
_COLUMNS = ", ".join(f"p.{name}" for name in _FIELDS)
_BESIDE_USER = ", ".join(f"p.{name} as token_{name}" for name in _FIELDS)


class KnownSession(NamedTuple):
    """What is known of the user of a session, of its end, and of the token that it came of."""

    user: User
    is_ended: bool
    token: PersonalAccessToken | None


async def known_session(tx: Tx, claims: SessionClaims) -> KnownSession | None:
    """All that decides whether a session goes on, by one query; none when its user is not here."""
    row = await tx.fetch_row(
        f"""select {USER_COLUMNS}, r.jti is not null as is_ended, {_BESIDE_USER}
            from app_user u
            left join revoked_session r on r.tenant_id = $1 and r.jti = $3
            left join personal_access_token p
                on p.tenant_id = $1 and p.id = $4 and p.user_id = u.id
            where u.tenant_id = $1 and u.id = $2""",
        tx.tenant_id,
        claims.user_id,
        claims.jti,
        claims.token_id,
    )
    if row is None:
        return None
    return KnownSession(user_from_row(row), row["is_ended"], _beside_user(row))


class KnownToken(NamedTuple):
    """A token, the user whose it is, and the digest under which it was found."""

    token: PersonalAccessToken
    user: User
    digest: bytes


async def token_by_digest(tx: Tx, digest: bytes) -> KnownToken | None:
    """The tenant's token with this digest, whatever its state."""
    row = await tx.fetch_row(
        f"""select {USER_COLUMNS}, {_BESIDE_USER}, p.digest
            from personal_access_token p
            join app_user u on u.tenant_id = $1 and u.id = p.user_id
            where p.tenant_id = $1 and p.digest = $2""",
        tx.tenant_id,
        digest,
    )
    token = None if row is None else _beside_user(row)
    if row is None or token is None:
        return None
    return KnownToken(token, user_from_row(row), row["digest"])


async def tokens_of(tx: Tx, user_id: UUID, *, revoked_too: bool) -> list[PersonalAccessToken]:
    """A user's tokens, newest first, expired ones included."""
    rows = await tx.fetch(
        f"""select {_COLUMNS} from personal_access_token p
            where p.tenant_id = $1 and p.user_id = $2 and ($3 or p.revoked_at is null)
            order by p.id desc""",
        tx.tenant_id,
        user_id,
        revoked_too,
    )
    return [_token({name: row[name] for name in _FIELDS}) for row in rows]


async def token_by_id(tx: Tx, token_id: UUID, *, user_id: UUID) -> PersonalAccessToken:
    """A user's token, whatever its state. Refuses: `token_unknown`."""
    token = await find_token(tx, token_id, user_id=user_id)
    if token is None:
        raise token_unknown(token_id=token_id)
    return token


async def find_token(tx: Tx, token_id: UUID, *, user_id: UUID) -> PersonalAccessToken | None:
    """A user's token, whatever its state, if there is one."""
    row = await tx.fetch_row(
        f"""select {_COLUMNS} from personal_access_token p
            where p.tenant_id = $1 and p.id = $2 and p.user_id = $3""",
        tx.tenant_id,
        token_id,
        user_id,
    )
    return None if row is None else _token(dict(row))


async def user_by_subject(tx: Tx, subject: str) -> User | None:
    """The user for whom an OpenID Connect server vouches under this name, if there is one."""
    row = await tx.fetch_row(
        f"select {USER_COLUMNS} from app_user u where u.tenant_id = $1 and u.oidc_subject = $2",
        tx.tenant_id,
        subject,
    )
    return None if row is None else user_from_row(row)


def _beside_user(row: asyncpg.Record) -> PersonalAccessToken | None:
    values = {name: row[f"token_{name}"] for name in _FIELDS}
    return None if values["id"] is None else _token(values)


def _token(values: dict[str, object]) -> PersonalAccessToken:
    scopes = values["scopes"]
    assert isinstance(scopes, list)  # noqa: S101 - the column is an array
    return PersonalAccessToken(**{**values, "scopes": tuple(scopes)})  # type: ignore[arg-type]
