"""Does a no end the use of a method?"""

from __future__ import annotations

from billwright.features.payment_providers.model import Decline
from billwright.features.payments.model import Attempt

# Said of one payment: its amount, or that its payer has to confirm it. The next may well be made.
_NOT_OF_THE_METHOD = frozenset({"amount_unsupported", "authentication_required"})


def spends_method(attempt: Attempt) -> bool:
    """Whether what was declined can never be charged again."""
    return attempt.decline is Decline.HARD and attempt.failure_code not in _NOT_OF_THE_METHOD
