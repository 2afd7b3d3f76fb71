"""How does an account's credit pay what was due before there was any?"""

from __future__ import annotations

from collections.abc import Sequence

from billwright.features.invoicing.events import InvoiceCreditApplied, InvoicePaid
from billwright.features.invoicing.model import CreditChange, CreditEntryKind, Invoice
from billwright.features.invoicing.operations.change_credit import change_credit
from billwright.features.invoicing.sql.writes_documents import set_credit_applied
from billwright.runtime.db.tx import Tx


async def pay_with_credit(tx: Tx, shares: Sequence[tuple[Invoice, int]]) -> None:
    """Let credit pay a share of each invoice, in minor units and at most what is due. The invoices are
    open, and locked after their account, which has that much.

    Raises `IntegrityViolation` when the account would have less than nothing.
    """
    if not shares:
        return
    for invoice, amount_minor in shares:
        if not 0 < amount_minor <= invoice.due_minor:
            raise ValueError(f"{amount_minor} does not fit what is due, {invoice.due_minor}")
    await change_credit(tx, [_taken(invoice, amount_minor) for invoice, amount_minor in shares])
    due = await set_credit_applied(tx, {invoice.id: amount for invoice, amount in shares})
    for invoice, amount_minor in shares:
        _publish(tx, invoice, amount_minor=amount_minor, due_minor=due[invoice.id])


def _taken(invoice: Invoice, amount_minor: int) -> CreditChange:
    return CreditChange(
        account_id=invoice.account_id,
        currency=invoice.currency,
        kind=CreditEntryKind.APPLIED,
        amount_minor=-amount_minor,
        invoice_id=invoice.id,
    )


def _publish(tx: Tx, invoice: Invoice, *, amount_minor: int, due_minor: int) -> None:
    number, currency = invoice.number or "", invoice.currency.code
    tx.publish(
        InvoiceCreditApplied(
            subject_id=invoice.id,
            account_id=invoice.account_id,
            number=number,
            currency=currency,
            amount_minor=amount_minor,
            due_minor=due_minor,
        )
    )
    tx.audit(
        "invoice.apply_credit",
        subject_type="invoice",
        subject_id=invoice.id,
        details={"amount_minor": amount_minor, "currency": currency},
    )
    if not due_minor:
        tx.publish(
            InvoicePaid(
                subject_id=invoice.id,
                account_id=invoice.account_id,
                number=number,
                currency=currency,
                total_minor=invoice.total_minor,
            )
        )
