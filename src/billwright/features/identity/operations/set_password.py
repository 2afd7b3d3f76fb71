"""What else happens where a user gets another password of their own?"""

from __future__ import annotations

from billwright.features.identity.model import CodePurpose, User
from billwright.features.identity.rules.changed_user import user_updated, with_new_password
from billwright.features.identity.sql.reads_users import user_by_id
from billwright.features.identity.sql.writes_users import forget_codes, update_user_row
from billwright.runtime.db.tx import Tx


async def set_password(tx: Tx, user: User, *, password_hash: str) -> User:
    """Give a locked user another password: every session is over, and no mailed code sets a third one.

    Neither is there anything left to confirm where the address is.
    """
    await update_user_row(tx, with_new_password(user), password_hash=password_hash)
    done = tuple(CodePurpose) if user.email_confirmed_at else (CodePurpose.RESET_PASSWORD,)
    await forget_codes(tx, user.id, purposes=done)
    tx.publish(user_updated(user, changed=("password",)))
    return await user_by_id(tx, user.id)
