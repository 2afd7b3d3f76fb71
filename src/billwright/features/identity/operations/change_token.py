"""How does a personal access token get another name and other scopes?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from billwright.features.identity.errors import token_unknown
from billwright.features.identity.model import PersonalAccessToken, Session
from billwright.features.identity.rules.new_token import check_token
from billwright.features.identity.sql.reads_sessions import token_by_id
from billwright.features.identity.sql.writes_sessions import update_token
from billwright.runtime.db.tx import Tx


async def change_token(
    tx: Tx, token_id: UUID, *, session: Session, name: str, scopes: Sequence[str]
) -> PersonalAccessToken:
    """Change a token of the user who signed in; its text stays. With other scopes, the sessions that
    it was exchanged for are over.

    Refuses: `token_unknown` also for a revoked one, `token_name_missing`, `token_scopes_missing`,
    `token_scope_unknown`, `token_scope_not_grantable`.
    """
    user = session.user
    before = await token_by_id(tx, token_id, user_id=user.id)
    check_token(user, name=name, scopes=scopes)
    given = tuple(dict.fromkeys(scopes))
    if not await update_token(tx, token_id, user_id=user.id, name=name, scopes=given):
        raise token_unknown(token_id=token_id)
    tx.audit(
        "token.change",
        subject_type="personal_access_token",
        subject_id=token_id,
        details={
            "user_id": user.id,
            "name": name,
            "former_name": before.name,
            "scopes": given,
            "former_scopes": before.scopes,
        },
    )
    return replace(before, name=name, scopes=given)
