"""What does money do to an invoice?"""

from __future__ import annotations

from dataclasses import replace

from billwright.features.invoicing.events import InvoicePaid
from billwright.features.invoicing.model import Invoice, InvoiceState
from billwright.features.invoicing.rules.settlement import settlement_state
from billwright.features.invoicing.sql.writes import set_paid
from billwright.runtime.db.tx import Tx


async def settle_invoice(tx: Tx, invoice: Invoice, *, amount_minor: int) -> Invoice:
    """Book `amount_minor` (at most what is due) on an invoice that the caller has locked. One that was
    given up stays so until it is paid in full.
    """
    if not 0 < amount_minor <= invoice.due_minor:
        raise ValueError(f"{amount_minor} does not fit what is due, {invoice.due_minor}")
    due_minor = invoice.due_minor - amount_minor
    settled = replace(
        invoice,
        paid_minor=invoice.paid_minor + amount_minor,
        due_minor=due_minor,
        state=_state_of(invoice, due_minor=due_minor),
        paid_at=None if due_minor else tx.now,
        collect_at=invoice.collect_at if due_minor else None,
    )
    await set_paid(tx, settled)
    if not due_minor:
        tx.publish(
            InvoicePaid(
                subject_id=invoice.id,
                account_id=invoice.account_id,
                number=invoice.number or "",
                currency=invoice.currency.code,
                total_minor=invoice.total_minor,
            )
        )
    return settled


def _state_of(invoice: Invoice, *, due_minor: int) -> InvoiceState:
    if invoice.state is InvoiceState.UNCOLLECTIBLE and due_minor:
        return InvoiceState.UNCOLLECTIBLE
    return settlement_state(due_minor=due_minor, total_minor=invoice.total_minor)
