"""How does a user who has forgotten the password set another one?"""

from __future__ import annotations

from billwright.features.identity.errors import code_invalid
from billwright.features.identity.model import CodePurpose, User
from billwright.features.identity.operations.passwords import hash_password
from billwright.features.identity.operations.set_password import set_password
from billwright.features.identity.operations.use_code import use_code
from billwright.features.identity.rules.changed_user import with_confirmed_email
from billwright.features.identity.rules.new_password import check_new_password
from billwright.runtime.db.tx import OpenTx
from billwright.runtime.secrets import SecretBox


async def reset_password(
    open_tx: OpenTx, box: SecretBox, *, email: str, code: str, password: str
) -> User:
    """Set another password by the code that was mailed, which confirms the address as well; every
    session is over. A wrong code counts, although it is refused.

    Refuses: `password_too_short`, `password_too_long`, `code_invalid`, also for an address that
    nobody has.
    """
    check_new_password(password)
    hashed = await hash_password(password)
    async with open_tx() as tx:
        known = await use_code(tx, box, email=email, code=code, purpose=CodePurpose.RESET_PASSWORD)
        user = None
        if known is not None:
            proven = with_confirmed_email(known.user, now=tx.now)
            user = await set_password(tx, proven, password_hash=hashed)
            tx.audit("user.reset_password", subject_type="user", subject_id=user.id)
    if user is None:
        raise code_invalid()
    return user
