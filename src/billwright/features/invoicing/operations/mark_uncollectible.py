"""How does a seller give up on an invoice?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from billwright.features.invoicing.events import InvoiceMarkedUncollectible
from billwright.features.invoicing.model import Invoice, InvoiceState
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.invoicing.rules.lifecycle import INVOICE_LIFECYCLE, InvoiceAction
from billwright.features.invoicing.sql.writes_documents import set_outcome
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkUncollectible:
    """Expect no more money for an invoice; `reason` is for the books."""

    invoice_id: UUID
    reason: str


async def mark_uncollectible(tx: Tx, command: MarkUncollectible) -> Invoice:
    """It stays owed and can be credited. An uncollectible invoice stays as it is.

    Refuses: `invoice_unknown`, `state_forbids`.
    """
    invoice = await lock_invoice(tx, command.invoice_id)
    if invoice.state is InvoiceState.UNCOLLECTIBLE:
        return invoice
    given_up = replace(
        invoice,
        state=INVOICE_LIFECYCLE.next(invoice.state, InvoiceAction.MARK_UNCOLLECTIBLE),
        uncollectible_at=tx.now,
        collect_at=None,
        version=invoice.version + 1,
        updated_at=tx.now,
    )
    await set_outcome(tx, given_up)
    tx.publish(
        InvoiceMarkedUncollectible(
            subject_id=invoice.id,
            account_id=invoice.account_id,
            number=invoice.number or "",
            currency=invoice.currency.code,
            due_minor=invoice.due_minor,
            reason=command.reason,
        )
    )
    tx.audit(
        "invoice.mark_uncollectible",
        subject_type="invoice",
        subject_id=invoice.id,
        details=command,
    )
    return given_up
