"""What is known of a payment and of an attempt to collect it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from billwright.kernel.money import Money

PaymentId = NewType("PaymentId", UUID)
AttemptId = NewType("AttemptId", UUID)
MethodId = NewType("MethodId", UUID)
SetupId = NewType("SetupId", UUID)
RefundId = NewType("RefundId", UUID)
DisputeId = NewType("DisputeId", UUID)


MANUAL = "manual"
"""The provider of money that a person has seen: it has come, whatever was due."""


class PaymentState(StrEnum):
    """`canceled` is a payment that nobody will make any more: withdrawn, or left by its payer."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


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
    `reconciliation_difference`: the provider's books and ours do not say the same.
    """

    OUTCOME_UNKNOWN = "outcome_unknown"
    AMOUNT_DIFFERS = "amount_differs"
    LATE_PAYMENT = "late_payment"
    CALLBACK_UNMATCHED = "callback_unmatched"
    REFUND_FAILED = "refund_failed"
    REFUND_UNEXPLAINED = "refund_unexplained"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_LOST = "dispute_lost"
    RECONCILIATION_DIFFERENCE = "reconciliation_difference"


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


class MethodStatus(StrEnum):
    ACTIVE = "active"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMethod:
    """A way to pay that an account has left with a provider, whose words for it are sealed.

    `is_chargeable` ends when the provider declines it for good. That it has expired ends nothing: banks
    renew most cards in silence, and the number of the old one goes on working. `consent` says where the
    payer agreed, and to what.
    """

    id: MethodId
    account_id: UUID
    provider: str
    kind: MethodKind
    label: str
    status: MethodStatus
    is_default: bool
    is_chargeable: bool
    expires_on: date | None
    reference_sealed: str
    payer_reference_sealed: str | None
    consented_at: datetime
    consent: str
    version: int
    created_at: datetime
    updated_at: datetime


class SetupState(StrEnum):
    """A setup is `created` until its provider has opened the page; one that is `expired` may still turn
    out to be `completed`, never the other way round.
    """

    CREATED = "created"
    OPEN = "open"
    COMPLETED = "completed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSetup:
    """A page of a provider on which a payer leaves a method; its address is sealed while it is open."""

    id: SetupId
    account_id: UUID
    provider: str
    provider_key: str
    state: SetupState
    provider_reference: str | None
    page_url_sealed: str | None
    expires_at: datetime | None
    payment_method_id: MethodId | None
    created_at: datetime
    updated_at: datetime


class RefundState(StrEnum):
    """`created` also as long as a person has to send the money; `failed` may come after `succeeded`,
    when the payer's bank returns what it was sent.
    """

    CREATED = "created"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RefundOrigin(StrEnum):
    """Who gave money back: somebody who asked for that, a credit note that promised it, or somebody at
    the provider itself, past us.
    """

    REQUESTED = "requested"
    CREDIT_NOTE = "credit_note"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money of a payment on its way back; `provider` sends it, `manual` is a person.

    `credit_note_id` says what it is given back for; without one it is money that the account had as
    credit, or was sent by the provider alone. `next_check_at` is when its outcome is looked for: never
    once it has ended, or when only a person can tell. Its instants are the machine's.
    """

    id: RefundId
    account_id: UUID
    payment_id: PaymentId
    credit_note_id: UUID | None
    origin: RefundOrigin
    provider: str
    provider_key: str
    provider_reference: str | None
    state: RefundState
    amount: Money
    reason: str
    failure_code: str | None
    next_check_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def is_from_credit(self) -> bool:
        """Whether it gives back money that the account had as credit."""
        return self.credit_note_id is None and self.origin is RefundOrigin.REQUESTED


class DisputeState(StrEnum):
    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDispute:
    """A payer's bank wants the money of a payment back; `reason` is the provider's word."""

    id: DisputeId
    account_id: UUID
    payment_id: PaymentId
    provider: str
    provider_reference: str
    state: DisputeState
    amount: Money
    reason: str
    respond_by: datetime | None
    closed_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


CallbackId = NewType("CallbackId", UUID)


class EventKind(StrEnum):
    """`other` is everything that this version has no use for; it is stored and does nothing."""

    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"
    METHOD = "method"
    OTHER = "other"


class CallbackState(StrEnum):
    """`received` is safe with us and not applied yet, `waiting` could not be applied and is tried again.

    The others are ends: `handled` has been applied, or said nothing new; `ignored` is of no use here;
    `unmatched` is about something that was never found.
    """

    RECEIVED = "received"
    WAITING = "waiting"
    HANDLED = "handled"
    IGNORED = "ignored"
    UNMATCHED = "unmatched"


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """What a provider told of its own accord, stored before anything was done about it.

    `attempts` counts how often it could not be applied, `last_error` says why the last time, in a word
    of ours. Of a payment method `reference` is a digest. `body_sealed` is the body as it was signed.
    """

    id: CallbackId
    provider: str
    event_id: str
    type: str
    kind: EventKind
    reference: str | None
    provider_key: str | None
    body_sealed: str
    state: CallbackState
    attempts: int
    next_attempt_at: datetime | None
    last_error: str | None
    happened_at: datetime
    received_at: datetime
    handled_at: datetime | None
