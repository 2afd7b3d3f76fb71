"""How much of a payment does its invoice take?"""

from __future__ import annotations

from billwright.features.invoicing.model import Invoice, InvoiceState

PAYABLE_STATES = frozenset({InvoiceState.OPEN, InvoiceState.PARTIALLY_PAID})


def applicable_minor(amount_minor: int, invoice: Invoice) -> int:
    """What is due at most, in minor units, and nothing where the invoice takes no money any more."""
    if invoice.state not in PAYABLE_STATES:
        return 0
    return min(amount_minor, invoice.due_minor)
