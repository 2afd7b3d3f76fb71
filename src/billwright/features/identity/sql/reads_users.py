"""Who can sign in?"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import asyncpg

from billwright.features.identity.errors import user_unknown
from billwright.features.identity.model import Credentials, User
from billwright.features.identity.sql.user_rows import USER_COLUMNS, user_from_row
from billwright.runtime.db.tx import Tx


async def user_by_id(tx: Tx, user_id: UUID) -> User:
    """The tenant's user. Refuses: `user_unknown`."""
    user = await find_user(tx, user_id)
    if user is None:
        raise user_unknown(user_id=user_id)
    return user


async def find_user(tx: Tx, user_id: UUID) -> User | None:
    """The tenant's user with that id, if there is one."""
    row = await tx.fetch_row(
        f"select {USER_COLUMNS} from app_user u where u.tenant_id = $1 and u.id = $2",
        tx.tenant_id,
        user_id,
    )
    return None if row is None else user_from_row(row)


async def users_by_id(tx: Tx, user_ids: Iterable[UUID]) -> dict[UUID, User]:
    """The tenant's users among these, by id."""
    rows = await tx.fetch(
        f"select {USER_COLUMNS} from app_user u where u.tenant_id = $1 and u.id = any($2::uuid[])",
        tx.tenant_id,
        list(user_ids),
    )
    return {row["id"]: user_from_row(row) for row in rows}


async def find_user_by_email(tx: Tx, email: str) -> User | None:
    """The tenant's user with that address, in the form in which addresses are stored."""
    row = await tx.fetch_row(
        f"select {USER_COLUMNS} from app_user u where u.tenant_id = $1 and u.email = $2",
        tx.tenant_id,
        email,
    )
    return None if row is None else user_from_row(row)


async def find_user_by_oidc_subject(tx: Tx, subject: str) -> User | None:
    """The tenant's user whom an OpenID Connect server knows by that subject."""
    row = await tx.fetch_row(
        f"select {USER_COLUMNS} from app_user u where u.tenant_id = $1 and u.oidc_subject = $2",
        tx.tenant_id,
        subject,
    )
    return None if row is None else user_from_row(row)


async def list_users(tx: Tx, *, limit: int, offset: int) -> list[User]:
    """Users of the tenant, newest first."""
    rows = await tx.fetch(
        f"""select {USER_COLUMNS} from app_user u where u.tenant_id = $1
            order by u.created_at desc, u.id desc limit $2 offset $3""",
        tx.tenant_id,
        limit,
        offset,
    )
    return [user_from_row(row) for row in rows]


async def find_admin(tx: Tx) -> User | None:
    """One administrator of the tenant, locked or not."""
    row = await tx.fetch_row(
        f"""select {USER_COLUMNS} from app_user u
            where u.tenant_id = $1 and u.role = 'admin' order by u.id limit 1""",
        tx.tenant_id,
    )
    return None if row is None else user_from_row(row)


async def has_users(tx: Tx) -> bool:
    """Whether anybody at all can sign in."""
    found: bool = await tx.fetch_value(
        "select exists (select from app_user where tenant_id = $1)", tx.tenant_id
    )
    return found


async def credentials_by_email(tx: Tx, email: str) -> Credentials | None:
    """The user with that address, and what their password is verified by."""
    row = await tx.fetch_row(
        f"""select {USER_COLUMNS}, u.password_hash from app_user u
            where u.tenant_id = $1 and u.email = $2""",
        tx.tenant_id,
        email,
    )
    return None if row is None else credentials_from_row(row)


async def credentials_by_id(tx: Tx, user_id: UUID) -> Credentials:
    """The user, and what their password is verified by. Refuses: `user_unknown`."""
    row = await tx.fetch_row(
        f"select {USER_COLUMNS}, u.password_hash from app_user u where u.tenant_id = $1 and u.id = $2",
        tx.tenant_id,
        user_id,
    )
    if row is None:
        raise user_unknown(user_id=user_id)
    return credentials_from_row(row)


def credentials_from_row(row: asyncpg.Record) -> Credentials:
    """The credentials of a row that has `USER_COLUMNS` and `password_hash`."""
    return Credentials(user=user_from_row(row), password_hash=row["password_hash"])
