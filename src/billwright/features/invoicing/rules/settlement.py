"""In which state is an invoice of which some is still due?"""

from __future__ import annotations

from billwright.features.invoicing.model import InvoiceState


def settlement_state(*, due_minor: int, total_minor: int) -> InvoiceState:
    """Open, partially paid or paid, by what payments, account credit and credit notes left due."""
    if due_minor == 0:
        return InvoiceState.PAID
    return InvoiceState.PARTIALLY_PAID if due_minor < total_minor else InvoiceState.OPEN
