"""How does somebody cease to be a user?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.identity.events import UserDeleted
from billwright.features.identity.rules.last_admin import check_admin_remains
from billwright.features.identity.sql.writes_users import (
    delete_user_row,
    locked_admins,
    locked_row,
)
from billwright.runtime.db.tx import Tx


async def delete_user(tx: Tx, user_id: UUID) -> None:
    """Forget a user, whose sessions are over and whose tokens and codes open nothing any more.

    Refuses: `user_unknown`, `last_admin`.
    """
    check_admin_remains(await locked_admins(tx), without=user_id)
    user = (await locked_row(tx, user_id)).user
    await delete_user_row(tx, user_id)
    tx.publish(
        UserDeleted(subject_id=user_id, account_id=None, email=user.email, role=user.role.value)
    )
    tx.audit(
        "user.delete",
        subject_type="user",
        subject_id=user_id,
        details={"email": user.email, "role": user.role},
    )
