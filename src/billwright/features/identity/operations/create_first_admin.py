"""How does an operator let the first administrator in?"""

from __future__ import annotations

from billwright.features.identity.errors import admin_exists, email_taken
from billwright.features.identity.model import Role, User
from billwright.features.identity.operations.add_user import add_user
from billwright.features.identity.operations.passwords import hash_password
from billwright.features.identity.rules.email import email_from
from billwright.features.identity.rules.new_password import check_new_password
from billwright.features.identity.rules.new_user import as_first_user, new_user
from billwright.features.identity.sql.reads_users import find_admin
from billwright.features.identity.sql.writes_users import wait_for_first_user
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import OpenTx


async def create_first_admin(
    open_tx: OpenTx, *, email: str, password: str, locale: str = "en"
) -> User:
    """Add an administrator, whose address counts as confirmed, to a tenant without any.

    Refuses: `email_malformed`, `password_too_short`, `password_too_long`, `admin_exists`,
    `email_taken`.
    """
    address = email_from(email)
    check_new_password(password)
    hashed = await hash_password(password)
    async with open_tx() as tx:
        await wait_for_first_user(tx)
        known = await find_admin(tx)
        if known is not None:
            raise admin_exists(email=known.email)
        user = new_user(new_id(), email=address, locale=locale, role=Role.ADMIN, now=tx.now)
        user = as_first_user(user)
        if not await add_user(tx, user, password_hash=hashed):
            raise email_taken(pointer="/email", email=address)
        tx.audit(
            "user.create",
            subject_type="user",
            subject_id=user.id,
            details={"email": email, "role": user.role},
        )
    return user
