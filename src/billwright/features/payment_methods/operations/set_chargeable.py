"""What does a no for good do to a method?"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.payment_methods.events import PaymentMethodChanged
from billwright.features.payment_methods.operations.update_presence import update_presence
from billwright.features.payment_methods.sql.reads import method_by_id
from billwright.features.payment_methods.sql.writes import update_method
from billwright.runtime.db.tx import Tx


async def set_chargeable(tx: Tx, method_id: UUID, *, is_chargeable: bool) -> None:
    """Note whether a method can be charged; what is known already changes nothing.

    Refuses: `payment_method_unknown`.
    """
    await lock_account(tx, (await method_by_id(tx, method_id)).account_id)
    method = await method_by_id(tx, method_id)  # again, now that its account is locked
    if method.is_chargeable is is_chargeable:
        return
    changed = replace(
        method, is_chargeable=is_chargeable, version=method.version + 1, updated_at=tx.now
    )
    await update_method(tx, changed)
    tx.publish(
        PaymentMethodChanged(
            subject_id=method.id, account_id=method.account_id, changed=("is_chargeable",)
        )
    )
    tx.audit(
        "payment_method.set_chargeable",
        subject_type="payment_method",
        subject_id=method.id,
        details={"is_chargeable": is_chargeable},
    )
    await update_presence(tx, method.account_id)
