"""How does an administrator add a user?"""

from __future__ import annotations

from billwright.features.identity.errors import email_taken
from billwright.features.identity.model import Role, User
from billwright.features.identity.operations.add_user import add_user, first_or_later
from billwright.features.identity.operations.passwords import hash_password
from billwright.features.identity.rules.email import email_from
from billwright.features.identity.rules.new_password import check_new_password
from billwright.features.identity.rules.new_user import new_user
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import OpenTx


async def create_user(
    open_tx: OpenTx, *, email: str, password: str, role: Role | None, locale: str
) -> User:
    """Add a user, whose address is to be confirmed; a tenant's first one is its administrator at once.

    Refuses: `email_malformed`, `password_too_short`, `password_too_long`, `email_taken`.
    """
    address = email_from(email)
    check_new_password(password)
    hashed = await hash_password(password)
    async with open_tx() as tx:
        user = new_user(new_id(), email=address, locale=locale, role=role or Role.USER, now=tx.now)
        user = await first_or_later(tx, user)
        if not await add_user(tx, user, password_hash=hashed):
            raise email_taken(pointer="/email", email=address)
        tx.audit(
            "user.create",
            subject_type="user",
            subject_id=user.id,
            details={"email": email, "role": user.role},
        )
    return user
