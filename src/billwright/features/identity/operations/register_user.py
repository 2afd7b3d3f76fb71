"""How does somebody come to be a user by themselves?"""

from __future__ import annotations

from typing import NamedTuple

from billwright.features.identity.events import RegistrationRepeated
from billwright.features.identity.model import Role, User
from billwright.features.identity.operations.add_user import add_user, first_or_later
from billwright.features.identity.operations.passwords import hash_password
from billwright.features.identity.rules.email import email_from
from billwright.features.identity.rules.new_password import check_new_password
from billwright.features.identity.rules.new_user import new_user
from billwright.features.identity.sql.reads_users import find_user_by_email
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import OpenTx, Tx


class Registered(NamedTuple):
    """Who has registered, as they are told."""

    user: User
    email_confirmed: bool


async def register_user(open_tx: OpenTx, *, email: str, password: str, locale: str) -> Registered:
    """Add a user, whose address is to be confirmed; a tenant's first one is its administrator at once.

    Who registers with an address that is known is told the same, after the same time, so that nobody
    learns who is: only the owner of the address does. Refuses: `email_malformed`,
    `password_too_short`, `password_too_long`.
    """
    address = email_from(email)
    check_new_password(password)
    hashed = await hash_password(password)
    async with open_tx() as tx:
        user = new_user(new_id(), email=address, locale=locale, role=Role.USER, now=tx.now)
        user = await first_or_later(tx, user)
        if await add_user(tx, user, password_hash=hashed):
            _audit(tx, user, email=email, repeated=False)
        elif known := await find_user_by_email(tx, address):
            tx.publish(RegistrationRepeated(subject_id=known.id, account_id=None))
            _audit(tx, known, email=email, repeated=True)
    return Registered(user, user.email_confirmed_at is not None)


def _audit(tx: Tx, user: User, *, email: str, repeated: bool) -> None:
    tx.audit(
        "user.register",
        subject_type="user",
        subject_id=user.id,
        details={"email": email, "repeated": repeated},
    )
