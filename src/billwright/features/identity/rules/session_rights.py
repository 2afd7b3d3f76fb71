"""What may somebody do who signed in?"""

from __future__ import annotations

from billwright.features.identity.errors import (
    role_missing,
    session_not_interactive,
    token_scope_missing,
)
from billwright.features.identity.model import FULL_ACCESS, Role, Session


def check_role(session: Session, *, role: Role) -> None:
    """Whether the user is an administrator, where one is asked for. Refuses: `role_missing`."""
    if role is Role.ADMIN and session.user.role is not Role.ADMIN:
        raise role_missing()


def check_scope(session: Session, *, scope: str | None) -> None:
    """Whether what was signed in with opens what needs `scope`. People need none; tokens open nothing
    without one. Refuses: `session_not_interactive`, `token_scope_missing`.
    """
    if session.is_interactive:
        return
    if scope is None:
        raise session_not_interactive()
    if scope not in (session.scopes or ()):
        raise token_scope_missing(scope=scope)


def platform_scopes(session: Session) -> frozenset[str]:
    """What is open of the platform's side: everything to administrators in person, else nothing."""
    is_admin = session.user.role is Role.ADMIN and session.is_interactive
    return frozenset({FULL_ACCESS}) if is_admin else frozenset()
