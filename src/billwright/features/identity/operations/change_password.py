"""How does a user set another password?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.identity.errors import password_absent, password_wrong
from billwright.features.identity.model import User
from billwright.features.identity.operations.passwords import hash_password, password_is
from billwright.features.identity.operations.set_password import set_password
from billwright.features.identity.rules.new_password import check_new_password
from billwright.features.identity.rules.sign_in import has_same_password
from billwright.features.identity.sql.reads_users import credentials_by_id
from billwright.features.identity.sql.writes_users import locked_row
from billwright.runtime.db.tx import OpenTx


async def change_password(open_tx: OpenTx, user_id: UUID, *, current: str, new: str) -> User:
    """Set another password; every session is over, the one that asks for it too. A wrong current one is
    recorded.

    Refuses: `user_unknown`, `password_absent`, `password_wrong`, `password_too_short`,
    `password_too_long`.
    """
    check_new_password(new)
    async with open_tx() as tx:
        known = await credentials_by_id(tx, user_id)
    if known.password_hash is None:
        raise password_absent()
    if not (await password_is(current, stored=known.password_hash)).ok:
        async with open_tx() as tx:
            tx.audit("user.change_password_failed", subject_type="user", subject_id=user_id)
        raise password_wrong()
    hashed = await hash_password(new)
    async with open_tx() as tx:
        now_known = await locked_row(tx, user_id)
        if not has_same_password(known, now_known=now_known):
            raise password_wrong()
        user = await set_password(tx, now_known.user, password_hash=hashed)
        tx.audit("user.change_password", subject_type="user", subject_id=user_id)
    return user
