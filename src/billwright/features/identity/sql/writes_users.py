"""How do users and their codes change?

Whoever changes a user, or the user's codes, locks the user first; whoever takes an administrator away
locks all of them before that.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg

from billwright.features.identity.errors import user_unknown
from billwright.features.identity.model import CodePurpose, Credentials, OneTimeCode, User
from billwright.features.identity.sql.reads_users import credentials_from_row
from billwright.features.identity.sql.user_rows import USER_COLUMNS, user_from_row
from billwright.runtime.db.tx import Tx


async def wait_for_first_user(tx: Tx) -> None:
    """Keep everybody else from becoming the first user of the tenant, until this transaction ends."""
    await tx.execute(
        "select pg_advisory_xact_lock(hashtextextended('first user of ' || $1::text, 0))",
        str(tx.tenant_id),
    )


async def insert_user(tx: Tx, user: User, *, password_hash: str | None) -> bool:
    """Store a new user; false when another one has the address or the subject."""
    inserted = await tx.insert(
        "app_user",
        [
            {
                "id": user.id,
                "email": user.email,
                "role": user.role,
                "locale": user.locale,
                "password_hash": password_hash,
                "oidc_subject": user.oidc_subject,
                "email_confirmed_at": user.email_confirmed_at,
                "locked_at": user.locked_at,
                "token_version": user.token_version,
                "created_at": user.created_at,
                "updated_at": user.updated_at,
            }
        ],
        on_conflict="on conflict do nothing",
    )
    return inserted == 1


async def locked_row(tx: Tx, user_id: UUID) -> Credentials:
    """The user, whom nobody else changes until this transaction ends. Refuses: `user_unknown`."""
    row = await tx.fetch_row(
        f"""select {USER_COLUMNS}, u.password_hash from app_user u
            where u.tenant_id = $1 and u.id = $2 for no key update""",
        tx.tenant_id,
        user_id,
    )
    if row is None:
        raise user_unknown(user_id=user_id)
    return credentials_from_row(row)


async def locked_row_by_email(tx: Tx, email: str) -> Credentials | None:
    """The user with that address, whom nobody else changes until this transaction ends."""
    row = await tx.fetch_row(
        f"""select {USER_COLUMNS}, u.password_hash from app_user u
            where u.tenant_id = $1 and u.email = $2 for no key update""",
        tx.tenant_id,
        email,
    )
    return None if row is None else credentials_from_row(row)


async def locked_admins(tx: Tx) -> list[User]:
    """All administrators, none of whom ceases to be one until this transaction ends."""
    rows = await tx.fetch(
        f"""select {USER_COLUMNS} from app_user u
            where u.tenant_id = $1 and u.role = 'admin' order by u.id for update""",
        tx.tenant_id,
    )
    return [user_from_row(row) for row in rows]


async def update_user_row(tx: Tx, user: User, *, password_hash: str | None) -> bool:
    """Store what a change has made of a locked user; false when another one has the address or the
    subject.
    """
    try:
        async with tx.savepoint():
            await tx.execute(
                """update app_user
                   set email = $3, role = $4, password_hash = $5, oidc_subject = $6,
                       email_confirmed_at = $7, locked_at = $8, token_version = $9, updated_at = $10
                   where tenant_id = $1 and id = $2""",
                tx.tenant_id,
                user.id,
                user.email,
                user.role,
                password_hash,
                user.oidc_subject,
                user.email_confirmed_at,
                user.locked_at,
                user.token_version,
                tx.now,
            )
    except asyncpg.UniqueViolationError:
        return False
    return True


async def renew_hash(tx: Tx, credentials: Credentials, *, password_hash: str) -> None:
    """Store the same password in a better form, unless it has become another one meanwhile."""
    await tx.execute(
        """update app_user set password_hash = $4
           where tenant_id = $1 and id = $2 and password_hash = $3""",
        tx.tenant_id,
        credentials.user.id,
        credentials.password_hash,
        password_hash,
    )


async def delete_user_row(tx: Tx, user_id: UUID) -> None:
    """Forget a locked user, with the user's codes and tokens."""
    await tx.execute("delete from app_user where tenant_id = $1 and id = $2", tx.tenant_id, user_id)


async def keep_code(
    tx: Tx,
    user_id: UUID,
    *,
    purpose: CodePurpose,
    digest: bytes,
    attempts: int,
    expires_at: datetime | None,
) -> None:
    """Store a new code of a locked user instead of an older one."""
    await tx.execute(
        """insert into one_time_code
               (tenant_id, user_id, purpose, digest, attempts_left, expires_at, created_at)
           values ($1, $2, $3, $4, $5, $6, $7)
           on conflict (tenant_id, user_id, purpose) do update
           set digest = excluded.digest, attempts_left = excluded.attempts_left,
               expires_at = excluded.expires_at, created_at = excluded.created_at""",
        tx.tenant_id,
        user_id,
        purpose,
        digest,
        attempts,
        expires_at,
        tx.now,
    )


async def code_of(tx: Tx, user_id: UUID, *, purpose: CodePurpose) -> OneTimeCode | None:
    """The code of a locked user, whether it is still good for anything or not."""
    row = await tx.fetch_row(
        """select user_id, digest, attempts_left, expires_at, created_at, renewed_at
           from one_time_code where tenant_id = $1 and user_id = $2 and purpose = $3""",
        tx.tenant_id,
        user_id,
        purpose,
    )
    return None if row is None else OneTimeCode(**row, purpose=purpose)


async def count_attempt(tx: Tx, code: OneTimeCode) -> None:
    """Store what a wrong attempt has made of a locked user's code."""
    await tx.execute(
        """update one_time_code set attempts_left = $4, renewed_at = $5
           where tenant_id = $1 and user_id = $2 and purpose = $3""",
        tx.tenant_id,
        code.user_id,
        code.purpose,
        code.attempts_left,
        code.renewed_at,
    )


async def forget_codes(
    tx: Tx, user_id: UUID, *, purposes: tuple[CodePurpose, ...] = tuple(CodePurpose)
) -> None:
    """Make what was mailed to a locked user worth nothing."""
    await tx.execute(
        """delete from one_time_code
           where tenant_id = $1 and user_id = $2 and purpose = any($3::text[])""",
        tx.tenant_id,
        user_id,
        list(purposes),
    )
