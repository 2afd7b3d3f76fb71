"""Which answer changes an attempt, and what does the attempt make of its payment?

By rank, not by arrival: an answer that comes late or twice changes nothing. What the payer has confirmed
may be under way for days and never waits for them again, which is why `processing` ranks higher.
"""

from __future__ import annotations

from billwright.features.payment_providers.model import AttemptState
from billwright.features.payments.model import Attempt, Channel, PaymentState

_RANKS = {
    state: rank
    for rank, state in enumerate(
        (
            AttemptState.CREATED,
            AttemptState.SUBMITTED,
            AttemptState.UNKNOWN,
            AttemptState.REQUIRES_ACTION,
            AttemptState.PROCESSING,
            AttemptState.NOT_ATTEMPTED,
            AttemptState.DECLINED,
            AttemptState.SUCCEEDED,
        )
    )
}

_PAYMENT_STATES = {
    AttemptState.SUCCEEDED: PaymentState.SUCCEEDED,
    AttemptState.DECLINED: PaymentState.FAILED,
    AttemptState.NOT_ATTEMPTED: PaymentState.FAILED,
}

NO_LONGER_DUE = "no_longer_due"
"""The failure code of an attempt that was not sent, because its invoice had been settled meanwhile."""

LIVE = frozenset(AttemptState) - frozenset(_PAYMENT_STATES)
"""The attempt may still move money."""

UNANSWERED = frozenset({AttemptState.CREATED, AttemptState.SUBMITTED, AttemptState.UNKNOWN})
"""The provider has not said yet that it knows of the attempt."""


def supersedes(answer: AttemptState, *, known: AttemptState) -> bool:
    """Whether an answer says more than what is known already."""
    return _RANKS[answer] > _RANKS[known]


def payment_state_of(attempt: Attempt) -> PaymentState:
    """The state of the payment whose attempt stands like this; pending while it is live."""
    if attempt.state is AttemptState.NOT_ATTEMPTED and (
        attempt.channel is Channel.PAGE or attempt.failure_code == NO_LONGER_DUE
    ):
        return PaymentState.CANCELED
    return _PAYMENT_STATES.get(attempt.state, PaymentState.PENDING)
