"""Who is behind this session?"""

from __future__ import annotations

from datetime import datetime

from billwright.features.identity.errors import session_invalid, session_over, user_locked
from billwright.features.identity.model import Session, SignInMethod
from billwright.features.identity.operations.session_keys import SessionKeys
from billwright.features.identity.rules.claims import SessionClaims
from billwright.features.identity.rules.token_scopes import effective
from billwright.features.identity.rules.use import TOKENS_NOTED_EVERY, is_worth_noting
from billwright.features.identity.sql.reads_sessions import KnownSession, known_session
from billwright.features.identity.sql.writes_sessions import note_token_use
from billwright.kernel.actor import ActorToken
from billwright.runtime.db.tx import Tx


async def authenticate_session(tx: Tx, text: str, *, keys: SessionKeys) -> Session:
    """The session of a user of this tenant, as the database knows them now: what the text says of
    their address and role is not believed, and nothing is remembered from one request to the next.

    Refuses: `session_invalid`, `session_over`, `user_locked`.
    """
    claims = keys.read(text)
    if claims is None or claims.expires_at <= tx.now:
        raise session_invalid()
    known = await known_session(tx, claims)
    if known is None or not _goes_on(claims, known=known, now=tx.now):
        raise session_over()
    if known.user.locked_at is not None:
        raise user_locked()
    token = known.token
    if token is not None and is_worth_noting(
        tx.now, last_used_at=token.last_used_at, every=TOKENS_NOTED_EVERY
    ):
        await note_token_use(tx, token)
    return Session(
        tenant_id=tx.tenant_id,
        user=known.user,
        method=claims.method,
        jti=claims.jti,
        expires_at=claims.expires_at,
        scopes=claims.scopes,
        token=None if token is None else ActorToken(token.id, token.name),
    )


def _goes_on(claims: SessionClaims, *, known: KnownSession, now: datetime) -> bool:
    if known.is_ended or known.user.token_version != claims.token_version:
        return False
    if claims.method is not SignInMethod.TOKEN:
        return True
    token = known.token
    return (
        token is not None
        and token.opens_at(now)
        and claims.scopes == frozenset(effective(token.scopes, role=known.user.role))
    )
