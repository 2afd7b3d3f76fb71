"""How does a new user come to be, whoever asked for it?"""

from __future__ import annotations

from billwright.features.identity.events import EmailConfirmationRequested, UserCreated
from billwright.features.identity.model import User
from billwright.features.identity.rules.new_user import as_first_user
from billwright.features.identity.sql.reads_users import has_users
from billwright.features.identity.sql.writes_users import insert_user, wait_for_first_user
from billwright.runtime.db.tx import Tx


async def first_or_later(tx: Tx, user: User) -> User:
    """The user as they are to be added: of all who come at once, one is the tenant's first."""
    if await has_users(tx):
        return user
    await wait_for_first_user(tx)
    return user if await has_users(tx) else as_first_user(user)


async def add_user(tx: Tx, user: User, *, password_hash: str | None) -> bool:
    """Add a user; false when another one has the address or the subject.

    An address that is not confirmed is to be, by those who need it to sign in.
    """
    if not await insert_user(tx, user, password_hash=password_hash):
        return False
    tx.publish(
        UserCreated(subject_id=user.id, account_id=None, email=user.email, role=user.role.value)
    )
    if user.email_confirmed_at is None and user.has_password:
        tx.publish(EmailConfirmationRequested(subject_id=user.id, account_id=None))
    return True
