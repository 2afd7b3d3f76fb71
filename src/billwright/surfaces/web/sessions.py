"""Who signed in, here or at the issuer that this installation trusts?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeAlias

import structlog

from billwright.features.identity.errors import issuer_unavailable, session_invalid, user_locked
from billwright.features.identity.model import Session, SignInMethod, User
from billwright.features.identity.operations.authenticate_session import authenticate_session
from billwright.features.identity.operations.session_keys import SessionKeys
from billwright.features.identity.port import (
    IssuerUnavailable,
    TokenIssuer,
    TokenRefused,
    Vouched,
)
from billwright.kernel.actor import system_actor
from billwright.kernel.ids import TenantId
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import OpenTx, Tx
from billwright.runtime.telemetry.metrics import Metrics
from billwright.surfaces.web.wiring import Wiring

UserOf: TypeAlias = Callable[[Tx, Vouched], Awaitable[User]]
"""The tenant's user whom an issuer vouches for."""

_log = structlog.get_logger(__name__)


async def session_behind(
    text: str, *, wiring: Wiring, tenant_id: TenantId, user_of: UserOf
) -> Session:
    """The session that a bearer token stands for. Where people sign in elsewhere, only what a personal
    access token was exchanged for was issued here.

    Refuses: `session_invalid`, `session_over`, `user_locked`, `issuer_unavailable`, and what `user_of`
    refuses.
    """
    keys, issuer = wiring.keys, wiring.token_issuer

    def open_tx() -> AbstractAsyncContextManager[Tx]:
        return wiring.database.tx(
            tenant_id, actor=system_actor("authentication"), cause="authenticate"
        )

    is_ours = issuer is None or _is_of_token(text, keys=keys)
    with counted(wiring.metrics, method="jwt" if is_ours else "oidc"):
        if issuer is None or is_ours:
            async with open_tx() as tx:
                return await authenticate_session(tx, text, keys=keys)
        return await _vouched_session(text, issuer=issuer, open_tx=open_tx, user_of=user_of)


@contextmanager
def counted(metrics: Metrics, *, method: str) -> Iterator[None]:
    """Count whether somebody proved who they are, by which `method`; `Metrics` names them."""
    try:
        yield
    except Refusal:
        metrics.count_sign_in(method=method, outcome="refused")
        raise
    metrics.count_sign_in(method=method, outcome="accepted")


def _is_of_token(text: str, *, keys: SessionKeys) -> bool:
    claims = keys.read(text)
    return claims is not None and claims.method is SignInMethod.TOKEN


async def _vouched_session(
    text: str, *, issuer: TokenIssuer, open_tx: OpenTx, user_of: UserOf
) -> Session:
    try:
        vouched = await issuer.verify(text)
    except TokenRefused as reason:
        _log.info("token refused", reason=str(reason))
        raise session_invalid() from None
    except IssuerUnavailable as reason:
        _log.warning("issuer unavailable", reason=str(reason))
        raise issuer_unavailable() from None
    async with open_tx() as tx:
        user = await user_of(tx, vouched)
        if user.locked_at is not None:
            raise user_locked()
        return Session(
            tenant_id=tx.tenant_id,
            user=user,
            method=SignInMethod.OIDC,
            expires_at=vouched.expires_at,
        )
