"""May an invoice be paid by so much?"""

from __future__ import annotations

from billwright.features.invoicing.model import Invoice
from billwright.features.payments.errors import (
    amount_above_due,
    amount_not_positive,
    currency_mismatch,
)
from billwright.kernel.money import Money


def refuse_unfit_amount(amount: Money, invoice: Invoice, *, may_exceed: bool = False) -> None:
    """Refuses: `currency_mismatch`, `amount_not_positive` and, unless it may exceed what is due,
    `amount_above_due`.
    """
    if amount.currency != invoice.currency:
        raise currency_mismatch(
            pointer="/amount/currency",
            currency=amount.currency.code,
            invoice_currency=invoice.currency.code,
        )
    if amount.amount_minor <= 0:
        raise amount_not_positive(pointer="/amount/amount", amount=str(amount))
    due = Money(invoice.due_minor, invoice.currency)
    if amount > due and not may_exceed:
        raise amount_above_due(pointer="/amount/amount", amount=str(amount), due=str(due))
