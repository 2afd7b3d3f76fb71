"""How does a session begin?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from billwright.features.identity.model import SignInMethod, User
from billwright.features.identity.operations.session_keys import SessionKeys
from billwright.features.identity.rules.claims import session_claims


def issue_session(
    keys: SessionKeys,
    user: User,
    *,
    method: SignInMethod,
    now: datetime,
    scopes: Sequence[str] | None = None,
    token_id: UUID | None = None,
) -> str:
    """The text that stands for a user who has just signed in; nothing is stored.

    `scopes` and `token_id` are those of the token that it was exchanged for.
    """
    return keys.sign(
        session_claims(user, method=method, jti=uuid4(), now=now, scopes=scopes, token_id=token_id)
    )
