"""How does an account get its invoice before it is time?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.invoicing.model import Billed, InvoiceTiming
from billwright.features.invoicing.operations.bill_charges import bill_pending_charges
from billwright.runtime.db.tx import Tx

INVOICE_PENDING_CHARGES = "invoice_pending_charges"
"""The job of that name, with an `account_id`."""


@dataclass(frozen=True, slots=True)
class InvoicePendingCharges:
    """Invoice all that waits for a document of an account, however little it is."""

    account_id: UUID


async def invoice_pending_charges(tx: Tx, command: InvoicePendingCharges) -> Billed:
    """One document for each currency in which something waits; none when nothing does.

    Refuses: `account_unknown`, `tax_rate_unknown`, `tax_engine_unknown`.
    """
    account = await lock_account(tx, command.account_id)
    billed = await bill_pending_charges(tx, [account], timing=InvoiceTiming.AT_ONCE)
    tx.audit(
        "account.invoice_pending_charges",
        subject_type="account",
        subject_id=account.id,
        details={"documents": [document.id for document in billed.documents]},
    )
    return billed
