"""How is a method used no more?"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.payment_methods.events import PaymentMethodRemoved
from billwright.features.payment_methods.model import MethodStatus, StoredMethod
from billwright.features.payment_methods.operations.update_presence import update_presence
from billwright.features.payment_methods.sql.reads import method_by_id
from billwright.features.payment_methods.sql.writes import remove_methods, update_method
from billwright.runtime.db.tx import Tx


async def remove_method(tx: Tx, method_id: UUID) -> StoredMethod:
    """Use a method no more; what it has paid goes on naming it. Where it was the default, the account
    has none until it names another or leaves a new one: nobody is charged with what they have not
    chosen. A payment that has begun is not taken back. Its provider is asked to forget it, once no
    payment needs it any more. One that is removed stays as it is.

    Refuses: `payment_method_unknown`.
    """
    await lock_account(tx, (await method_by_id(tx, method_id)).account_id)
    method = await method_by_id(tx, method_id)  # again, now that its account is locked
    if method.status is MethodStatus.REMOVED:
        return method
    removed = replace(
        method,
        status=MethodStatus.REMOVED,
        is_default=False,
        version=method.version + 1,
        updated_at=tx.now,
        removed_at=tx.machine_now,
        detach_at=tx.machine_now,
    )
    await update_method(tx, removed)
    _announce(tx, removed)
    await update_presence(tx, method.account_id)
    return removed


async def remove_methods_of(tx: Tx, account_id: UUID) -> None:
    """Use none of a locked account's methods any more."""
    for method in await remove_methods(tx, account_id):
        _announce(tx, method)
    await update_presence(tx, account_id)


def _announce(tx: Tx, method: StoredMethod) -> None:
    tx.publish(
        PaymentMethodRemoved(subject_id=method.id, account_id=method.account_id, label=method.label)
    )
    tx.audit("payment_method.remove", subject_type="payment_method", subject_id=method.id)
