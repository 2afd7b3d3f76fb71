"""What does a provider say of a refund or a dispute that cannot be booked, and must be explained?"""

from __future__ import annotations

from datetime import timedelta

from billwright.features.payment_providers.port import Dispute, ProviderAnswer
from billwright.features.payments.rules.reconciliation import Difference, Window
from billwright.features.refunds.model import Refund, RefundState, StoredDispute
from billwright.features.refunds.rules.refund_rank import refund_state_of

GIVEN_BACK = frozenset({RefundState.PROCESSING, RefundState.SUCCEEDED})
"""The provider has said that it knows of the refund, and not that it has failed."""

# Banks return what they were sent weeks later, and open a closed claim again.
_LOOKS_BACK = timedelta(days=30)


def window_of_returns(window: Window) -> Window:
    """What is compared of money that goes back, in a run that compares the payments of a window."""
    return Window(min(window.since, window.until - _LOOKS_BACK), window.until)


def refund_difference(there: ProviderAnswer | None, *, here: Refund) -> Difference | None:
    """Where what the provider says changes nothing here; none of there is no such refund."""
    if there is None:
        return Difference.MISSING_THERE if here.state in GIVEN_BACK else None
    if refund_state_of(there.state) is not here.state:
        return Difference.STATE
    return Difference.AMOUNT if there.amount not in {None, here.amount} else None


def is_second_refund(reference: str, *, there: ProviderAnswer, here: Refund) -> bool:
    """Whether money went back there under our key by another name than what is booked."""
    both_moved = refund_state_of(there.state) in GIVEN_BACK and here.state in GIVEN_BACK
    return both_moved and here.provider_reference not in {None, reference}


def dispute_difference(there: Dispute | None, *, here: StoredDispute) -> Difference | None:
    """Where what the provider says changes nothing here; none of there is no such dispute."""
    if there is None:
        return Difference.MISSING_THERE
    if there.state is not here.state:
        return Difference.STATE
    return Difference.AMOUNT if there.amount != here.amount else None
