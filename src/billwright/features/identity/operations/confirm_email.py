"""How does a user prove their address?"""

from __future__ import annotations

from billwright.features.identity.errors import code_invalid
from billwright.features.identity.model import CodePurpose, Credentials, User
from billwright.features.identity.operations.use_code import use_code
from billwright.features.identity.rules.changed_user import with_confirmed_email
from billwright.features.identity.sql.reads_users import user_by_id
from billwright.features.identity.sql.writes_users import update_user_row
from billwright.runtime.db.tx import OpenTx, Tx
from billwright.runtime.secrets import SecretBox


async def confirm_email(open_tx: OpenTx, box: SecretBox, *, email: str, code: str) -> User:
    """Confirm the address by the code that was mailed to it. A wrong one counts, although it is
    refused.

    Refuses: `code_invalid`, also for an address that nobody has.
    """
    async with open_tx() as tx:
        known = await use_code(tx, box, email=email, code=code, purpose=CodePurpose.CONFIRM_EMAIL)
        user = None if known is None else await _confirm(tx, known)
    if user is None:
        raise code_invalid()
    return user


async def _confirm(tx: Tx, known: Credentials) -> User:
    user = with_confirmed_email(known.user, now=tx.now)
    await update_user_row(tx, user, password_hash=known.password_hash)
    tx.audit("user.confirm_email", subject_type="user", subject_id=user.id)
    return await user_by_id(tx, user.id)
