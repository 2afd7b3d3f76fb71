"""Which answer changes an attempt, and what does the attempt make of its payment?

By rank, not by arrival: an answer that comes late or twice changes nothing.
"""

from __future__ import annotations

from billwright.features.payments.model import AttemptState, PaymentState

_RANKS = {
    state: rank
    for rank, state in enumerate(
        (
            AttemptState.CREATED,
            AttemptState.SUBMITTED,
            AttemptState.UNKNOWN,
            AttemptState.PROCESSING,
            AttemptState.REQUIRES_ACTION,
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

UNANSWERED = frozenset({AttemptState.CREATED, AttemptState.SUBMITTED, AttemptState.UNKNOWN})
"""The provider has not said yet that it knows of the attempt."""


def supersedes(answer: AttemptState, *, known: AttemptState) -> bool:
    """Whether an answer says more than what is known already."""
    return _RANKS[answer] > _RANKS[known]


def payment_state_of(attempt: AttemptState) -> PaymentState:
    """The state of the payment whose attempt stands like this; pending while it is live."""
    return _PAYMENT_STATES.get(attempt, PaymentState.PENDING)
