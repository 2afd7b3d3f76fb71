"""May somebody sign in whose password is right?"""

from __future__ import annotations

from billwright.features.identity.errors import email_not_confirmed, user_locked
from billwright.features.identity.model import Credentials, User
from billwright.kernel.refusal import Refusal


def refusal_of(user: User) -> Refusal | None:
    """Why not, which only those are told who know the password."""
    if user.locked_at is not None:
        return user_locked()
    if user.email_confirmed_at is None:
        return email_not_confirmed()
    return None


def has_same_password(known: Credentials, *, now_known: Credentials | None) -> bool:
    """Whether a password that was right a moment ago still is, also if only its hash was renewed."""
    if now_known is None or now_known.user.id != known.user.id:
        return False
    return (
        now_known.password_hash == known.password_hash
        or now_known.user.token_version == known.user.token_version
    )
