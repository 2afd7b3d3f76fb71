"""In which words do we and a provider speak of money?"""

from __future__ import annotations

from enum import StrEnum


class PaymentMethod(StrEnum):
    """How money moves; `other` also until a payer has chosen on a page."""

    BANK_TRANSFER = "bank_transfer"
    CASH = "cash"
    CARD = "card"
    SEPA_DEBIT = "sepa_debit"
    OTHER = "other"


class MethodKind(StrEnum):
    CARD = "card"
    SEPA_DEBIT = "sepa_debit"
    OTHER = "other"


class AttemptState(StrEnum):
    """`not_attempted` is certain that nothing was sent; `unknown` is a call without an answer."""

    CREATED = "created"
    SUBMITTED = "submitted"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    NOT_ATTEMPTED = "not_attempted"
    UNKNOWN = "unknown"


class Decline(StrEnum):
    """Whether another attempt with the same method can help (`soft`) or not (`hard`)."""

    SOFT = "soft"
    HARD = "hard"


class DisputeState(StrEnum):
    OPEN = "open"
    WON = "won"
    LOST = "lost"


class EventKind(StrEnum):
    """`other` is everything that this version has no use for; it is stored and does nothing."""

    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"
    METHOD = "method"
    OTHER = "other"
