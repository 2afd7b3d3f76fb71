"""How is a change undone whose invoice could not be collected?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.invoicing.operations.void_invoice import (
    GivenBack,
    VoidInvoice,
    void_invoice,
)
from billwright.features.promotions.sql.reads import redemptions_by_id
from billwright.features.subscriptions.operations.apply_transitions import apply_transitions
from billwright.features.subscriptions.rules.unpaid_change import undo_unpaid_change
from billwright.features.subscriptions.sql.reads import (
    account_of,
    subscription_by_id,
    subscription_with_unpaid_change,
)
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import Tx

_REASON = "The payment for the change failed, and the change was undone."


async def revert_unpaid_change(tx: Tx, invoice_id: UUID) -> bool:
    """Undo the change that was invoiced there, as if it had never been: the invoice is void, what it
    charged is not owed, and what it gave back was never given. False, and nothing is done, when there
    is no such change, something has come after it, or a part of it was paid or credited.

    It bills nothing, so that an account whose data cannot be billed does not stand in the way.
    """
    subscription_id = await subscription_with_unpaid_change(tx, invoice_id)
    if subscription_id is None:
        return False
    account = await lock_account(tx, await account_of(tx, subscription_id))
    subscription = await subscription_by_id(tx, subscription_id)
    unpaid = subscription.unpaid_change
    if unpaid is None or unpaid.invoice_id != invoice_id:
        return False
    try:
        await void_invoice(
            tx,
            VoidInvoice(invoice_id=invoice_id, reason=_REASON, given_back=GivenBack.UNDONE),
        )
    except Refusal:  # nothing was changed before it
        return False
    versions = await plan_versions(tx, [unpaid.plan_version_id])
    transition = undo_unpaid_change(
        subscription,
        unpaid,
        version=versions[unpaid.plan_version_id],
        redemptions=await redemptions_by_id(tx, [one.id for one in unpaid.redemptions]),
        now=tx.now,
    )
    accounts: dict[UUID, Account] = {account.id: account}
    await apply_transitions(tx, [transition], accounts=accounts)
    return True
