"""What happens to subscriptions when an invoice is paid?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.invoicing.model import Billed
from billwright.features.subscriptions.operations.apply_transitions import apply_transitions
from billwright.features.subscriptions.rules.beginning import activate
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.features.subscriptions.sql.reads import (
    account_of,
    incomplete_subscriptions_on,
    subscription_by_id,
)
from billwright.runtime.db.tx import Tx


async def activate_settled(tx: Tx, billed: Billed) -> None:
    """Activate the subscriptions whose first invoice account credit has paid in whole."""
    settled = [document.id for document in billed.documents if document.due_minor == 0]
    await activate_subscriptions(tx, invoice_ids=settled)


async def activate_subscriptions(tx: Tx, *, invoice_ids: Sequence[UUID]) -> None:
    """Activate the subscriptions that waited for the payment of these invoices, which are settled. The
    payment counts until the expiry has been carried out: money that came is not turned away.
    """
    if not invoice_ids:
        return
    for subscription_id in await incomplete_subscriptions_on(tx, invoice_ids):
        account = await lock_account(tx, await account_of(tx, subscription_id))
        before = await subscription_by_id(tx, subscription_id)
        if not LIFECYCLE.allows(before.state, Action.ACTIVATE):
            continue
        versions = await plan_versions(tx, [before.plan_version_id])
        accounts: dict[UUID, Account] = {account.id: account}
        transition = activate(before, versions[before.plan_version_id], now=tx.now)
        await apply_transitions(tx, [transition], accounts=accounts)
