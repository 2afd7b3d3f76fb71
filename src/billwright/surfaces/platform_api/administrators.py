"""Which administrator signed in and calls the platform API?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.identity.errors import (
    credential_invalid,
    session_invalid,
    session_over,
    user_locked,
)
from billwright.features.identity.model import Caller, User
from billwright.features.identity.port import Vouched
from billwright.features.identity.rules.session_rights import platform_scopes
from billwright.features.identity.sql.reads_sessions import user_by_subject
from billwright.kernel.ids import TenantId
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.database import Database
from billwright.runtime.db.tx import Tx
from billwright.surfaces.web.sessions import session_behind
from billwright.surfaces.web.wiring import Wiring

DEFAULT_TENANT = "default"
_WORTHLESS = frozenset({session_invalid.code, session_over.code, user_locked.code})


async def administrator(token: str, *, tenant: str | None, wiring: Wiring) -> Caller:
    """The caller behind a session at `tenant`, which is a code or an id. Whoever is no administrator, or
    no person, is known and has no scope.

    Refuses: `credential_invalid`, `issuer_unavailable`.
    """
    tenant_id = await _tenant_id(tenant or DEFAULT_TENANT, database=wiring.database)
    try:
        session = await session_behind(
            token, wiring=wiring, tenant_id=tenant_id, user_of=_known_user
        )
    except Refusal as refusal:
        if refusal.code in _WORTHLESS:
            raise credential_invalid() from None
        raise
    return Caller(tenant_id, session.actor, platform_scopes(session))


async def _known_user(tx: Tx, vouched: Vouched) -> User:
    """Nobody becomes a user by calling here: the console is where people come first."""
    user = await user_by_subject(tx, vouched.subject)
    if user is None:
        raise session_over()
    return user


async def _tenant_id(text: str, *, database: Database) -> TenantId:
    try:
        return TenantId(UUID(text))
    except ValueError:
        found = await database.tenant_by_code(text) if text.isprintable() else None
    if found is None:
        raise credential_invalid()
    return found
