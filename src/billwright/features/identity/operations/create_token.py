"""How does a personal access token come to be?"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from billwright.features.identity.model import CreatedToken, PersonalAccessToken, Session
from billwright.features.identity.rules.new_token import check_new_token
from billwright.features.identity.rules.token_text import token_text
from billwright.features.identity.sql.writes_sessions import insert_token
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


async def create_token(
    tx: Tx,
    session: Session,
    *,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None,
) -> CreatedToken:
    """Create a token of the user who signed in, with its text, which nothing can show again.

    Refuses: `token_without_sign_in`, `token_name_missing`, `token_scopes_missing`,
    `token_scope_unknown`, `token_scope_not_grantable`, `token_expires_in_past`.
    """
    user = session.user
    check_new_token(user, name=name, scopes=scopes, expires_at=expires_at, now=tx.now)
    text = token_text(secret=secrets.token_urlsafe(32))
    token = PersonalAccessToken(
        id=new_id(),
        user_id=user.id,
        name=name,
        prefix=text.prefix,
        scopes=tuple(dict.fromkeys(scopes)),
        expires_at=expires_at,
        revoked_at=None,
        last_used_at=None,
        created_at=tx.now,
    )
    await insert_token(tx, token, digest=text.digest)
    tx.audit(
        "token.create",
        subject_type="personal_access_token",
        subject_id=token.id,
        details={
            "user_id": user.id,
            "name": name,
            "prefix": token.prefix,
            "scopes": token.scopes,
            "expires_at": expires_at,
        },
    )
    return CreatedToken(token, text.text)
