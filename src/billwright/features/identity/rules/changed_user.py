"""What does a change make of a user?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from billwright.features.identity.events import UserUpdated
from billwright.features.identity.model import Role, User


def with_email(user: User, email: str) -> User:
    """Known at another address, which is to be confirmed; the same address stays confirmed."""
    return user if email == user.email else replace(user, email=email, email_confirmed_at=None)


def with_role(user: User, role: Role) -> User:
    """In another role, for which sessions have to be begun anew."""
    if role == user.role:
        return user
    return replace(user, role=role, token_version=user.token_version + 1)


def with_new_password(user: User) -> User:
    """With another password: every session of the former one is over."""
    return replace(user, has_password=True, token_version=user.token_version + 1)


def with_confirmed_email(user: User, *, now: datetime) -> User:
    """Known to read what is sent to the address; since when does not change."""
    return replace(user, email_confirmed_at=user.email_confirmed_at or now)


def what_changed(former: User, *, user: User, password: bool) -> tuple[str, ...]:
    """The names of what differs, in alphabetical order."""
    differs = {
        "email": user.email != former.email,
        "locked": (user.locked_at is None) != (former.locked_at is None),
        "password": password,
        "role": user.role != former.role,
    }
    return tuple(name for name, does in differs.items() if does)


def user_updated(user: User, *, changed: tuple[str, ...]) -> UserUpdated:
    """What is told of it; `changed` is in alphabetical order."""
    return UserUpdated(
        subject_id=user.id,
        account_id=None,
        email=user.email,
        role=user.role.value,
        changed=changed,
    )
