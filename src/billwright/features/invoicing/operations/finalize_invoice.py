"""How does a person send a draft on its way?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.invoicing.model import Invoice
from billwright.features.invoicing.operations.finalize_draft import finalize_draft
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.invoicing.rules.lifecycle import INVOICE_LIFECYCLE, InvoiceAction
from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.runtime.db.tx import Tx


async def finalize_invoice(
    tx: Tx, invoice_id: UUID, *, expected_version: int | None = None
) -> Invoice:
    """Give a draft its number, date, parties and tax; account credit pays what it can.

    A finalized invoice stays as it is. Refuses: `invoice_unknown`, `invoice_stale`,
    `state_forbids`, `tax_rate_unknown`.
    """
    invoice = await lock_invoice(tx, invoice_id, expected_version=expected_version)
    if invoice.number is not None:
        return invoice
    INVOICE_LIFECYCLE.next(invoice.state, InvoiceAction.FINALIZE)
    account = await account_by_id(tx, invoice.account_id)
    issued = await finalize_draft(tx, invoice, account=account)
    tx.audit(
        "invoice.finalize",
        subject_type="invoice",
        subject_id=invoice.id,
        details={"number": issued.number},
    )
    return await invoice_by_id(tx, invoice.id)
