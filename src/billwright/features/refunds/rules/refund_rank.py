"""Which answer changes a refund?

By rank, not by arrival. A provider's failure ranks highest, because a bank may return what it was sent;
that nothing was ever sent is only a conclusion of ours, which the news that money has moved corrects.
"""

from __future__ import annotations

from billwright.features.payment_providers.model import AttemptState
from billwright.features.payments.model import MANUAL
from billwright.features.refunds.model import Refund, RefundState

NEVER_SENT = "not_attempted"

_STATES = {
    AttemptState.CREATED: RefundState.CREATED,
    AttemptState.SUBMITTED: RefundState.SUBMITTED,
    AttemptState.UNKNOWN: RefundState.UNKNOWN,
    AttemptState.PROCESSING: RefundState.PROCESSING,
    # The payer has to say where the money shall go, which the provider asks them.
    AttemptState.REQUIRES_ACTION: RefundState.PROCESSING,
    AttemptState.SUCCEEDED: RefundState.SUCCEEDED,
    AttemptState.NOT_ATTEMPTED: RefundState.FAILED,
    AttemptState.DECLINED: RefundState.FAILED,
}
_RANKS = {
    (state, sent): rank
    for rank, (state, sent) in enumerate(
        (
            (RefundState.CREATED, True),
            (RefundState.SUBMITTED, True),
            (RefundState.UNKNOWN, True),
            (RefundState.PROCESSING, True),
            (RefundState.FAILED, False),
            (RefundState.SUCCEEDED, True),
            (RefundState.FAILED, True),
        )
    )
}

ENDED = frozenset({RefundState.SUCCEEDED, RefundState.FAILED})

UNANSWERED = frozenset({RefundState.CREATED, RefundState.SUBMITTED, RefundState.UNKNOWN})
"""The provider has not said yet that it knows of the refund."""


def refund_state_of(answer: AttemptState) -> RefundState:
    """The state of a refund of which a provider says this."""
    return _STATES[answer]


def supersedes(answer: AttemptState, *, known: Refund) -> bool:
    """Whether an answer says more than what is known already."""
    was_sent = known.state is not RefundState.FAILED or known.failure_code != NEVER_SENT
    answered = refund_state_of(answer), answer is not AttemptState.NOT_ATTEMPTED
    return _RANKS[answered] > _RANKS[known.state, was_sent]


def is_a_persons(refund: Refund) -> bool:
    """Whether only a person can say how it ends: who sends the money, or whom to ask since the provider
    has not said.
    """
    if refund.state is RefundState.CREATED:
        return refund.provider == MANUAL
    return refund.state not in ENDED and refund.next_check_at is None
