"""What happens when somebody has forgotten a password?"""

from __future__ import annotations

from billwright.features.identity.events import PasswordResetRequested
from billwright.features.identity.rules.email import stored_form
from billwright.features.identity.sql.reads_users import find_user_by_email
from billwright.runtime.db.tx import Tx


async def request_password_reset(tx: Tx, *, email: str) -> None:
    """Have a code mailed to a user who has a password and is not locked. Whether there is one shows
    neither in the answer nor in its time: the mail comes later.
    """
    user = await find_user_by_email(tx, stored_form(email))
    if user is not None and user.has_password and user.locked_at is None:
        tx.publish(PasswordResetRequested(subject_id=user.id, account_id=None))
    tx.audit(
        "user.request_password_reset",
        subject_type="tenant" if user is None else "user",
        subject_id=tx.tenant_id if user is None else user.id,
        details={"email": email},
    )
