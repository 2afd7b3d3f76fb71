"""When does what waits for a billing day lose that day?"""

from __future__ import annotations

from collections.abc import Sequence

from billwright.features.accounts.events import AccountUpdated
from billwright.features.accounts.model import Collection
from billwright.features.accounts.sql.reads import accounts_by_id
from billwright.features.invoicing.operations.invoice_pending_charges import (
    INVOICE_PENDING_CHARGES,
)
from billwright.runtime.db.tx import Tx
from billwright.runtime.queue.registry import Reaction, Recorded


async def invoice_after_change(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Let what waits be invoiced once an account has no billing day any more. A job for each: accounts
    on test clocks have times of their own.
    """
    changed = [one.event.subject_id for one in recorded if "collection" in one.event.changed]
    for account in (await accounts_by_id(tx, changed)).values():
        if account.collection is Collection.IMMEDIATE:
            tx.enqueue(INVOICE_PENDING_CHARGES, {"account_id": account.id})


REACTIONS = [Reaction("invoice_after_change", AccountUpdated, invoice_after_change)]
