"""How do sessions end before their time?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.identity.errors import user_unknown
from billwright.features.identity.model import Session
from billwright.features.identity.sql.writes_sessions import (
    advance_token_version,
    insert_ended_session,
)
from billwright.runtime.db.tx import Tx


async def end_session(tx: Tx, session: Session) -> None:
    """End a session for good; ending it again changes nothing. One that has no id ends together with
    all others of its user.
    """
    if session.jti is None or session.expires_at is None:
        await end_all_sessions(tx, session.user.id)
    elif await insert_ended_session(tx, session.jti, expires_at=session.expires_at):
        tx.audit(
            "session.end",
            subject_type="user",
            subject_id=session.user.id,
            details={"session_id": session.jti, "expires_at": session.expires_at},
        )


async def end_all_sessions(tx: Tx, user_id: UUID) -> None:
    """End every session of a user, those of tokens too; the tokens themselves can be exchanged again.

    Refuses: `user_unknown`.
    """
    if not await advance_token_version(tx, user_id):
        raise user_unknown(user_id=user_id)
    tx.audit("session.end_all", subject_type="user", subject_id=user_id)
