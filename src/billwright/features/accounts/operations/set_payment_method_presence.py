"""Can money be collected from an account without asking it?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.accounts.events import AccountUpdated
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.accounts.sql.writes import set_payment_method
from billwright.runtime.db.tx import Tx


async def set_payment_method_presence(tx: Tx, account_id: UUID, *, present: bool) -> None:
    """Note that an account has a payment method, or has none any more. Saying what is known already
    changes nothing. Refuses: `account_unknown`.
    """
    account = await lock_account(tx, account_id)
    if account.has_payment_method is present:
        return
    await set_payment_method(tx, account_id=account_id, present=present)
    tx.publish(
        AccountUpdated(
            subject_id=account_id, account_id=account_id, changed=("has_payment_method",)
        )
    )
    tx.audit(
        "account.set_payment_method_presence",
        subject_type="account",
        subject_id=account_id,
        details={"present": present},
    )
