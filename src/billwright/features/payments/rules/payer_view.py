"""What can a payer do about an invoice?"""

from __future__ import annotations

from enum import StrEnum

from billwright.features.invoicing.model import DocumentKind, Invoice, InvoiceState
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payments.model import Attempt, Channel

_OWED = {InvoiceState.OPEN, InvoiceState.PARTIALLY_PAID}
_UNFINISHED = {InvoiceState.DRAFT, InvoiceState.FINALIZING}


class PayerView(StrEnum):
    """`to_transfer`: there is no page to pay on, but there may be a bank account. `paying`: they come
    from a page, and what they did there is not known yet. `unknown`: there is nothing to be seen.
    """

    TO_PAY = "to_pay"
    TO_TRANSFER = "to_transfer"
    TO_CONFIRM = "to_confirm"
    PAYING = "paying"
    PROCESSING = "processing"
    PAID = "paid"
    NOTHING_DUE = "nothing_due"
    UNKNOWN = "unknown"


def payer_view(
    invoice: Invoice, live: Attempt | None, *, pages_offered: bool, comes_back: bool
) -> PayerView:
    """`live` is the attempt of the invoice whose outcome is not known yet; `comes_back` says that the
    payer was on the provider's page and has done what it asks for.
    """
    if invoice.kind is not DocumentKind.INVOICE or invoice.state in _UNFINISHED:
        return PayerView.UNKNOWN
    if invoice.state is InvoiceState.PAID:
        return PayerView.PAID
    if invoice.state not in _OWED or invoice.due_minor <= 0:
        return PayerView.NOTHING_DUE
    if live is not None:
        return _meanwhile(live, comes_back=comes_back)
    return PayerView.TO_PAY if pages_offered else PayerView.TO_TRANSFER


def _meanwhile(live: Attempt, *, comes_back: bool) -> PayerView:
    is_page = live.channel is Channel.PAGE
    # A page is waited for from the first moment on: there may be nothing to pay on yet.
    moves = live.state is AttemptState.PROCESSING
    if moves or (not is_page and live.state is not AttemptState.REQUIRES_ACTION):
        return PayerView.PROCESSING
    if comes_back:
        return PayerView.PAYING
    return PayerView.TO_PAY if is_page else PayerView.TO_CONFIRM
