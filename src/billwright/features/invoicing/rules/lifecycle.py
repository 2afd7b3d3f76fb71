"""Which action is possible in which state of an invoice?"""

from __future__ import annotations

from enum import StrEnum

from billwright.features.invoicing.model import InvoiceState as State
from billwright.kernel.state_machine import StateMachine


class InvoiceAction(StrEnum):
    """What a person does to an invoice; what money does is `settle_invoice`'s."""

    EDIT = "edit"
    FINALIZE = "finalize"
    CREDIT = "credit"
    VOID = "void"
    MARK_UNCOLLECTIBLE = "mark_uncollectible"


_CREDITABLE = (State.OPEN, State.PARTIALLY_PAID, State.PAID, State.UNCOLLECTIBLE)

INVOICE_LIFECYCLE = StateMachine(
    {
        (State.DRAFT, InvoiceAction.EDIT): State.DRAFT,
        (State.DRAFT, InvoiceAction.FINALIZE): State.OPEN,
        (State.OPEN, InvoiceAction.VOID): State.VOID,
        # What account credit has paid is returned; money that came is not, and forbids it.
        (State.PARTIALLY_PAID, InvoiceAction.VOID): State.VOID,
        (State.OPEN, InvoiceAction.MARK_UNCOLLECTIBLE): State.UNCOLLECTIBLE,
        (State.PARTIALLY_PAID, InvoiceAction.MARK_UNCOLLECTIBLE): State.UNCOLLECTIBLE,
        **{(state, InvoiceAction.CREDIT): state for state in _CREDITABLE},
    }
)
