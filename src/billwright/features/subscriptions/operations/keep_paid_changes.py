"""What becomes of a change when its invoice is paid?"""

from __future__ import annotations

from collections.abc import Sequence

from billwright.features.invoicing.events import InvoicePaid
from billwright.features.subscriptions.sql.writes import forget_unpaid_changes
from billwright.runtime.db.tx import Tx


async def keep_paid_changes(tx: Tx, paid: Sequence[InvoicePaid]) -> None:
    """The changes that were invoiced there are not to be undone any more. It is a part of what paid
    the invoices, which has locked their accounts.
    """
    for subscription_id in await forget_unpaid_changes(tx, [event.subject_id for event in paid]):
        tx.audit(
            "subscription.keep_change", subject_type="subscription", subject_id=subscription_id
        )
