"""What is known of a payment and of an attempt to collect it?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from billwright.kernel.money import Money

PaymentId = NewType("PaymentId", UUID)
AttemptId = NewType("AttemptId", UUID)


class PaymentState(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class PaymentMethod(StrEnum):
    BANK_TRANSFER = "bank_transfer"
    CASH = "cash"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money for one invoice.

    `reference` is what the payer wrote; `received_on` is the day on which a person saw the money;
    `unapplied_minor` is the part that found nothing due.
    """

    id: PaymentId
    account_id: UUID
    invoice_id: UUID
    provider: str
    method: PaymentMethod
    state: PaymentState
    amount: Money
    reference: str
    received_on: date | None
    unapplied_minor: int
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request to a provider; its instants are the machine's, not those of a test clock.

    `next_check_at` is when its outcome is looked for: never once it has ended, or once only a person
    can tell.
    """

    id: AttemptId
    payment_id: PaymentId
    invoice_id: UUID
    state: AttemptState
    provider: str
    provider_key: str
    provider_reference: str | None
    failure_code: str | None
    next_check_at: datetime | None
    created_at: datetime
    updated_at: datetime
