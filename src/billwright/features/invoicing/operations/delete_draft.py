"""How does a draft disappear that nobody wants to send?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.invoicing.events import InvoiceDraftDeleted
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.invoicing.rules.lifecycle import INVOICE_LIFECYCLE, InvoiceAction
from billwright.features.invoicing.sql.writes_documents import delete_draft_row, release_lines
from billwright.runtime.db.tx import Tx


async def delete_draft(tx: Tx, invoice_id: UUID, *, expected_version: int | None = None) -> None:
    """What a person wrote on it is gone; what subscriptions owe waits for the next document.

    Refuses: `invoice_unknown`, `invoice_stale`, `state_forbids`.
    """
    invoice = await lock_invoice(tx, invoice_id, expected_version=expected_version)
    INVOICE_LIFECYCLE.next(invoice.state, InvoiceAction.EDIT)
    await release_lines(tx, invoice.id)
    await delete_draft_row(tx, invoice.id)
    tx.publish(
        InvoiceDraftDeleted(
            subject_id=invoice.id,
            account_id=invoice.account_id,
            currency=invoice.currency.code,
            total_minor=invoice.total_minor,
        )
    )
    tx.audit(
        "invoice.delete_draft",
        subject_type="invoice",
        subject_id=invoice.id,
        details={"total_minor": invoice.total_minor, "currency": invoice.currency.code},
    )
