"""How does an administrator change a user?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.identity.errors import email_taken
from billwright.features.identity.events import (
    EmailChanged,
    EmailConfirmationRequested,
)
from billwright.features.identity.model import CodePurpose, Role, User
from billwright.features.identity.operations.passwords import hash_password
from billwright.features.identity.rules.changed_user import (
    user_updated,
    what_changed,
    with_email,
    with_new_password,
    with_role,
)
from billwright.features.identity.rules.email import email_from
from billwright.features.identity.rules.last_admin import check_admin_remains
from billwright.features.identity.rules.new_password import check_new_password
from billwright.features.identity.sql.reads_users import user_by_id
from billwright.features.identity.sql.writes_users import (
    forget_codes,
    locked_admins,
    locked_row,
    update_user_row,
)
from billwright.runtime.db.tx import OpenTx, Tx


async def update_user(
    open_tx: OpenTx,
    user_id: UUID,
    *,
    email: str | None = None,
    password: str | None = None,
    role: Role | None = None,
) -> User:
    """Change what is given. Another address is to be confirmed; another password or role ends every
    session.

    Refuses: `user_unknown`, `email_malformed`, `email_taken`, `password_too_short`,
    `password_too_long`, `last_admin`.
    """
    address = None if email is None else email_from(email)
    hashed = None
    if password is not None:
        check_new_password(password)
        hashed = await hash_password(password)
    async with open_tx() as tx:
        if role not in {None, Role.ADMIN}:
            check_admin_remains(await locked_admins(tx), without=user_id)
        return await _change(tx, user_id, email=address, password_hash=hashed, role=role)


async def _change(
    tx: Tx, user_id: UUID, *, email: str | None, password_hash: str | None, role: Role | None
) -> User:
    known = await locked_row(tx, user_id)
    user = with_email(known.user, email or known.user.email)
    user = with_role(user, role or user.role)
    if password_hash is not None:
        user = with_new_password(user)
    changed = what_changed(known.user, user=user, password=password_hash is not None)
    if changed:
        is_free = await update_user_row(
            tx, user, password_hash=password_hash or known.password_hash
        )
        if not is_free:
            raise email_taken(pointer="/email", email=user.email)
        await _tell(tx, user, former=known.user, changed=changed)
    tx.audit(
        "user.update",
        subject_type="user",
        subject_id=user_id,
        details={
            "changed": changed,
            "email": user.email,
            "former_email": known.user.email,
            "role": user.role,
            "former_role": known.user.role,
        },
    )
    return await user_by_id(tx, user_id)


async def _tell(tx: Tx, user: User, *, former: User, changed: tuple[str, ...]) -> None:
    """Let nothing that was mailed before open anything, and say what is another."""
    if "email" in changed:
        await forget_codes(tx, user.id)
        tx.publish(EmailChanged(subject_id=user.id, account_id=None, former_email=former.email))
        tx.publish(EmailConfirmationRequested(subject_id=user.id, account_id=None))
    elif "password" in changed:
        await forget_codes(tx, user.id, purposes=(CodePurpose.RESET_PASSWORD,))
    tx.publish(user_updated(user, changed=changed))
