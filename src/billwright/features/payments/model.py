"""What is known of a payment and of an attempt to collect it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from billwright.features.payment_providers.model import AttemptState, Decline, PaymentMethod
from billwright.kernel.money import Money

PaymentId = NewType("PaymentId", UUID)
AttemptId = NewType("AttemptId", UUID)


MANUAL = "manual"
"""The provider of money that a person has seen: it has come, whatever was due."""


class PaymentState(StrEnum):
    """`canceled` is a payment that nobody will make any more: withdrawn, or left by its payer."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class Origin(StrEnum):
    """Who asked for a payment: somebody through the API, the due date of its invoice, dunning, or the
    payer on a page of the provider.
    """

    REQUESTED = "requested"
    AUTOMATIC = "automatic"
    DUNNING = "dunning"
    PAGE = "page"


class Channel(StrEnum):
    """A provider is asked to collect with a method that is known, or to show a page to pay on."""

    COLLECT = "collect"
    PAGE = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money for one invoice; amounts in minor units of the currency of `amount`, which was asked for.

    `reference` is what the payer wrote; `received_on` is the day on which a person saw the money.
    `captured_minor` is what has really come, `unapplied_minor` the part of it that found nothing due and
    became credit of the account, `refunded_minor` what was given back or is on its way back.
    `saved_method_id` is the method of the account that it was collected with.
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
    origin: Origin = Origin.REQUESTED
    saved_method_id: UUID | None = None
    captured_minor: int = 0
    unapplied_minor: int
    refunded_minor: int = 0
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request to a provider; its instants are the machine's, not those of a test clock.

    `next_check_at` is when its outcome is looked for: never once it has ended, or once only a person
    can tell. `page_url_sealed` is where the payer has to go, until `page_expires_at`; a page of the
    provider to pay on has a `page_reference` as well, and `saves_method` where it keeps the method for
    later payments.
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
    channel: Channel = Channel.COLLECT
    decline: Decline | None = None
    page_reference: str | None = None
    page_url_sealed: str | None = None
    page_expires_at: datetime | None = None
    saves_method: bool = False


class ReviewKind(StrEnum):
    """What only a person can decide.

    `late_payment`: money came for an invoice that was paid or void, and became credit.
    `refund_unexplained`: money went back at the provider itself, and no credit note says what for.
    `method_not_detached`: a payment method was removed here, and its provider can still charge it.
    `reconciliation_difference`: the provider's books and ours do not say the same.
    `usage_after_closing`: usage became known late whose account is closed, and is not billed by itself.
    """

    OUTCOME_UNKNOWN = "outcome_unknown"
    AMOUNT_DIFFERS = "amount_differs"
    LATE_PAYMENT = "late_payment"
    CALLBACK_UNMATCHED = "callback_unmatched"
    REFUND_FAILED = "refund_failed"
    REFUND_UNEXPLAINED = "refund_unexplained"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_LOST = "dispute_lost"
    METHOD_NOT_DETACHED = "method_not_detached"
    RECONCILIATION_DIFFERENCE = "reconciliation_difference"
    USAGE_AFTER_CLOSING = "usage_after_closing"


class ReviewState(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReviewTask:
    """A finding for a person; `dedup_key` is the same for the same finding, whoever finds it again.

    `details` are what the person needs to see, as plain values and without secrets.
    """

    kind: ReviewKind
    subject_type: str
    subject_id: UUID | None
    account_id: UUID | None
    details: Mapping[str, object]
    dedup_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewTask:
    """A finding, and once it is resolved what a person did about it."""

    id: UUID
    kind: ReviewKind
    subject_type: str
    subject_id: UUID | None
    account_id: UUID | None
    details: Mapping[str, object]
    state: ReviewState
    resolution: str | None
    resolved_by: str | None
    resolved_at: datetime | None
    created_at: datetime
