"""What is done about an invoice whose money is to be asked for now?"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from billwright.features.invoicing.model import Invoice
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payments.model import Attempt
from billwright.features.payments.rules.application import is_overdue


class DueStep(StrEnum):
    """`look_again`: a payment is under way, whose outcome comes first. `make_way`: its payer is waited
    for, which has to end before it is collected. `leave_to_payer`: there is nothing to collect with,
    and they still have time.
    """

    COLLECT = "collect"
    MAKE_WAY = "make_way"
    LOOK_AGAIN = "look_again"
    LEAVE_TO_PAYER = "leave_to_payer"
    OVERDUE = "overdue"


def due_step(invoice: Invoice, *, live: Attempt | None, has_method: bool, now: datetime) -> DueStep:
    """`live` is the attempt of the invoice that may still move money."""
    if live is not None and live.state is not AttemptState.REQUIRES_ACTION:
        return DueStep.LOOK_AGAIN
    if has_method:
        return DueStep.COLLECT if live is None else DueStep.MAKE_WAY
    return DueStep.OVERDUE if is_overdue(invoice, now=now) else DueStep.LEAVE_TO_PAYER
