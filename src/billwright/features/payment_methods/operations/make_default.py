"""Which method does an account want to pay with?"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.payment_methods.errors import payment_method_removed
from billwright.features.payment_methods.events import PaymentMethodChanged
from billwright.features.payment_methods.model import MethodStatus, StoredMethod
from billwright.features.payment_methods.operations.update_presence import update_presence
from billwright.features.payment_methods.sql.reads import method_by_id
from billwright.features.payment_methods.sql.writes import clear_default, update_method
from billwright.runtime.db.tx import Tx


async def make_default(tx: Tx, method_id: UUID) -> StoredMethod:
    """Collect with this method from now on. Who names one that was refused for good says that it works
    again. Naming the one that is used already changes nothing.

    Refuses: `payment_method_unknown`, `payment_method_removed`.
    """
    await lock_account(tx, (await method_by_id(tx, method_id)).account_id)
    method = await method_by_id(tx, method_id)  # again, now that its account is locked
    if method.status is MethodStatus.REMOVED:
        raise payment_method_removed(payment_method_id=method_id)
    changed = tuple(name for name in ("is_chargeable", "is_default") if not getattr(method, name))
    if not changed:
        return method
    if not method.is_default:
        await clear_default(tx, method.account_id)
    chosen = replace(
        method,
        is_default=True,
        is_chargeable=True,
        version=method.version + 1,
        updated_at=tx.now,
    )
    await update_method(tx, chosen)
    tx.publish(
        PaymentMethodChanged(subject_id=method.id, account_id=method.account_id, changed=changed)
    )
    tx.audit("payment_method.make_default", subject_type="payment_method", subject_id=method.id)
    await update_presence(tx, method.account_id)
    return chosen
