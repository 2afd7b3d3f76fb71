"""What is somebody who can sign in from now on?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from billwright.features.identity.model import Role, User


def new_user(user_id: UUID, *, email: str, locale: str, role: Role, now: datetime) -> User:
    """A user with a password, whose address is not confirmed yet."""
    return User(
        id=user_id,
        email=email,
        role=role,
        locale=locale,
        has_password=True,
        oidc_subject=None,
        email_confirmed_at=None,
        locked_at=None,
        token_version=0,
        created_at=now,
        updated_at=now,
    )


def as_first_user(user: User) -> User:
    """The same user where nobody else is: somebody has to be able to let the others in."""
    return replace(user, role=Role.ADMIN, email_confirmed_at=user.created_at)
