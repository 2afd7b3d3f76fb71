"""Who signs in, in tests of sessions and tokens?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.jwk import OctKey

from billwright.features.identity.model import Role, Session, SignInMethod, User
from billwright.features.identity.operations.authenticate_session import authenticate_session
from billwright.features.identity.operations.issue_session import issue_session
from billwright.features.identity.operations.session_keys import SessionKeys
from billwright.features.identity.rules.new_user import new_user
from billwright.features.identity.sql.reads_users import user_by_id
from billwright.features.identity.sql.writes_users import insert_user
from billwright.kernel.ids import new_id
from tests.conftest import Tenant

SECRET = b"a secret of thirty-two bytes or more"
KEYS = SessionKeys(SECRET)


async def a_user(
    tenant: Tenant,
    email: str = "ada@northlight.example",
    role: Role = Role.USER,
    **other: Any,
) -> User:
    """A user with a password that nobody knows and a confirmed address."""
    async with tenant.tx() as tx:
        user = new_user(new_id(), email=email, locale="en", role=role, now=tx.now)
        user = replace(user, **{"email_confirmed_at": tx.now, **other})
        assert await insert_user(tx, user, password_hash="$none" if user.has_password else None)
        return await user_by_id(tx, user.id)


def signed(claims: dict[str, Any], *, secret: bytes = SECRET, algorithm: str = "HS256") -> str:
    """A text that somebody signed who may or may not know the secret."""
    key = OctKey.import_key(secret)
    return jwt.encode({"alg": algorithm}, claims, key, algorithms=[algorithm])


def a_session_text(user: User, now: datetime) -> str:
    """What somebody is given who signs in with a password."""
    return issue_session(KEYS, user, method=SignInMethod.PASSWORD, now=now)


async def a_session(tenant: Tenant, user: User) -> Session:
    """The session of somebody who signs in with a password."""
    async with tenant.tx() as tx:
        return await authenticate_session(tx, a_session_text(user, tx.now), keys=KEYS)
