"""What does an invoice come to when money is gone that was booked on it?"""

from __future__ import annotations

from dataclasses import replace

from billwright.features.invoicing.events import InvoiceReopened
from billwright.features.invoicing.model import Invoice, InvoiceState
from billwright.features.invoicing.rules.settlement import settlement_state
from billwright.features.invoicing.sql.writes import set_paid
from billwright.runtime.db.tx import Tx


async def reverse_settlement(tx: Tx, invoice: Invoice, *, amount_minor: int) -> Invoice:
    """Take `amount_minor` (at most what was paid) off an invoice that the caller has locked: it is due
    again. What was given up stays so. What was paid is not asked for anew, since its payer has just
    taken it back; `collect_at` stays as it was.
    """
    if not 0 < amount_minor <= invoice.paid_minor:
        raise ValueError(f"{amount_minor} does not fit what was paid, {invoice.paid_minor}")
    due_minor = invoice.due_minor + amount_minor
    state = settlement_state(due_minor=due_minor, total_minor=invoice.total_minor)
    reversed_ = replace(
        invoice,
        paid_minor=invoice.paid_minor - amount_minor,
        due_minor=due_minor,
        state=invoice.state if invoice.state is InvoiceState.UNCOLLECTIBLE else state,
        paid_at=None,
    )
    await set_paid(tx, reversed_)
    tx.publish(
        InvoiceReopened(
            subject_id=invoice.id,
            account_id=invoice.account_id,
            number=invoice.number or "",
            currency=invoice.currency.code,
            amount_minor=amount_minor,
            due_minor=due_minor,
        )
    )
    return reversed_
