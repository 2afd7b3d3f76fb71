"""May a user have this token?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from billwright.features.identity.errors import (
    token_expires_in_past,
    token_name_missing,
    token_without_sign_in,
)
from billwright.features.identity.model import User
from billwright.features.identity.rules.token_scopes import check_token_scopes


def check_new_token(
    user: User, *, name: str, scopes: Sequence[str], expires_at: datetime | None, now: datetime
) -> None:
    """Refuses: `token_without_sign_in`, `token_expires_in_past`, and what `check_token` refuses."""
    if not user.has_password and user.oidc_subject is None:
        raise token_without_sign_in()
    check_token(user, name=name, scopes=scopes)
    if expires_at is not None and expires_at <= now:
        raise token_expires_in_past()


def check_token(user: User, *, name: str, scopes: Sequence[str]) -> None:
    """Refuses: `token_name_missing`, `token_scopes_missing`, `token_scope_unknown`,
    `token_scope_not_grantable`.
    """
    if not name.strip():
        raise token_name_missing()
    check_token_scopes(scopes, role=user.role)
