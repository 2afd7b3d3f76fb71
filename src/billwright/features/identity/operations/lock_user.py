"""How is a user kept out for a while?"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from billwright.features.identity.errors import own_user_locked
from billwright.features.identity.model import Credentials, User
from billwright.features.identity.rules.changed_user import user_updated
from billwright.features.identity.rules.last_admin import check_admin_remains
from billwright.features.identity.sql.reads_users import user_by_id
from billwright.features.identity.sql.writes_users import (
    locked_admins,
    locked_row,
    update_user_row,
)
from billwright.kernel.actor import ActorKind
from billwright.runtime.db.tx import Tx


async def lock_user(tx: Tx, user_id: UUID) -> User:
    """Refuse everything that is asked in the user's name, until they are unlocked; locking again
    changes nothing.

    Refuses: `user_unknown`, `own_user_locked`, `last_admin`.
    """
    _check_other(tx, user_id)
    check_admin_remains(await locked_admins(tx), without=user_id)
    known = await locked_row(tx, user_id)
    if known.user.locked_at is None:
        await _store(tx, known, user=replace(known.user, locked_at=tx.now))
    tx.audit("user.lock", subject_type="user", subject_id=user_id)
    return await user_by_id(tx, user_id)


async def unlock_user(tx: Tx, user_id: UUID) -> User:
    """Let the user in again, whose sessions go on. Refuses: `user_unknown`, `own_user_locked`."""
    _check_other(tx, user_id)
    known = await locked_row(tx, user_id)
    if known.user.locked_at is not None:
        await _store(tx, known, user=replace(known.user, locked_at=None))
    tx.audit("user.unlock", subject_type="user", subject_id=user_id)
    return await user_by_id(tx, user_id)


def _check_other(tx: Tx, user_id: UUID) -> None:
    if tx.actor.kind is ActorKind.USER and tx.actor.id == user_id:
        raise own_user_locked()


async def _store(tx: Tx, known: Credentials, *, user: User) -> None:
    await update_user_row(tx, user, password_hash=known.password_hash)
    tx.publish(user_updated(user, changed=("locked",)))
