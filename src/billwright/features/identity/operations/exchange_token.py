"""What is a personal access token worth?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from secrets import compare_digest

from billwright.features.identity.errors import token_invalid
from billwright.features.identity.model import Exchanged, SignInMethod
from billwright.features.identity.operations.issue_session import issue_session
from billwright.features.identity.operations.session_keys import SessionKeys
from billwright.features.identity.rules.token_scopes import effective
from billwright.features.identity.rules.token_text import TokenText
from billwright.features.identity.sql.reads_sessions import KnownToken, token_by_digest
from billwright.features.identity.sql.writes_sessions import note_token_use
from billwright.runtime.db.tx import OpenTx, Tx


async def exchange_token(open_tx: OpenTx, text: str, *, keys: SessionKeys) -> Exchanged:
    """Exchange a token's text for a session that opens what of its scopes the user may still give.
    The attempt is recorded also where it is refused.

    Refuses: `token_invalid`, whatever is wrong.
    """
    digest = TokenText(text).digest
    async with open_tx() as tx:
        known = await token_by_digest(tx, digest)
        if known is not None and not compare_digest(known.digest, digest):
            known = None
        scopes = () if known is None else _opened(known, now=tx.now)
        _audit(tx, known, scopes=scopes)
        if known is not None and scopes:
            await note_token_use(tx, known.token)
        now = tx.now
    if known is None or not scopes:
        raise token_invalid()
    access_token = issue_session(
        keys,
        known.user,
        method=SignInMethod.TOKEN,
        now=now,
        scopes=scopes,
        token_id=known.token.id,
    )
    return Exchanged(access_token, known.user, scopes)


def _opened(known: KnownToken, *, now: datetime) -> tuple[str, ...]:
    """What of the token's scopes opens something; nothing of a token that is not to be used."""
    user, token = known.user, known.token
    is_admitted = user.email_confirmed_at is not None and user.locked_at is None
    if not is_admitted or not token.opens_at(now):
        return ()
    return effective(token.scopes, role=user.role)


def _audit(tx: Tx, known: KnownToken | None, *, scopes: Sequence[str]) -> None:
    tx.audit(
        "token.exchange" if scopes else "token.exchange_failed",
        subject_type="tenant" if known is None else "personal_access_token",
        subject_id=tx.tenant_id if known is None else known.token.id,
        details={} if known is None else {"user_id": known.user.id, "scopes": scopes},
    )
