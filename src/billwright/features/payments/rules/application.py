"""How much of the money that has come does its invoice take?"""

from __future__ import annotations

from datetime import datetime

from billwright.features.invoicing.model import DocumentKind, Invoice, InvoiceState
from billwright.features.invoicing.rules.collect_at import overdue_from
from billwright.features.payments.model import MANUAL, Payment

PAYABLE_STATES = frozenset({InvoiceState.OPEN, InvoiceState.PARTIALLY_PAID})
"""Money is asked for."""

_TAKING_STATES = PAYABLE_STATES | {InvoiceState.UNCOLLECTIBLE}
_SETTLED_STATES = frozenset({InvoiceState.PAID, InvoiceState.VOID})


def applicable_minor(captured_minor: int, invoice: Invoice) -> int:
    """What is due at most, in minor units, and nothing where nothing is owed any more; an invoice that
    was given up is owed all the same.
    """
    if invoice.state not in _TAKING_STATES:
        return 0
    return min(captured_minor, invoice.due_minor)


def is_collectable(invoice: Invoice) -> bool:
    """Whether there is money to ask for."""
    return invoice.state in PAYABLE_STATES and invoice.due_minor > 0


def is_wanted(payment: Payment, invoice: Invoice) -> bool:
    """Whether a payment that was reserved is still to be asked for; what a person has seen has come."""
    if payment.provider == MANUAL:
        return True
    return invoice.state in PAYABLE_STATES and payment.amount.amount_minor <= invoice.due_minor


def may_be_reported(invoice: Invoice) -> bool:
    """Whether a person may say that money has come for it, due or not."""
    return invoice.kind is DocumentKind.INVOICE and invoice.number is not None


def is_settled(invoice: Invoice) -> bool:
    """Whether money that comes for it is too late."""
    return invoice.state in _SETTLED_STATES


def is_overdue(invoice: Invoice, *, now: datetime) -> bool:
    """Whether its last day to pay has passed."""
    return invoice.due_on is not None and now >= overdue_from(invoice.due_on, zone=invoice.zone)
