"""How does a row become a user?"""

from __future__ import annotations

import asyncpg

from billwright.features.identity.model import Role, User

USER_COLUMNS = """u.id, u.email, u.role, u.locale, u.password_hash is not null as has_password,
    u.oidc_subject, u.email_confirmed_at, u.locked_at, u.token_version, u.created_at, u.updated_at"""
"""Of a query that calls the table `app_user` by the name `u`."""

_FIELDS = tuple(User.__dataclass_fields__)


def user_from_row(row: asyncpg.Record) -> User:
    """The user in a row that has `USER_COLUMNS`, whatever else it has."""
    values = {name: row[name] for name in _FIELDS}
    return User(**{**values, "role": Role(row["role"])})
