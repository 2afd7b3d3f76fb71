"""What happens to payments?

Amounts are in minor units of `currency`. `origin` says who asked for the payment: `requested`,
`automatic`, `dunning` or `page`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from billwright.kernel.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentStarted(Event):
    """A provider is about to be asked to collect. A page that was opened is no beginning: nobody knows
    whether its payer will pay.
    """

    type: ClassVar[str] = "payment.started"
    subject_type: ClassVar[str] = "payment"

    invoice_id: UUID
    origin: str
    provider: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSucceeded(Event):
    """The money is there. `amount_minor` is what has come, which may differ from what was asked for
    (`asked_minor`); `unapplied_minor` is the part for which nothing was due any more, and became credit
    of the account.
    """

    type: ClassVar[str] = "payment.succeeded"
    subject_type: ClassVar[str] = "payment"

    invoice_id: UUID
    invoice_number: str
    origin: str
    provider: str
    method: str
    currency: str
    amount_minor: int
    asked_minor: int
    unapplied_minor: int
    paid_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFailed(Event):
    """The provider said no (`reason` is `declined`, and `decline` is `soft` or `hard`), or was certainly
    never asked (`reason` is `not_attempted`).
    """

    type: ClassVar[str] = "payment.failed"
    subject_type: ClassVar[str] = "payment"

    invoice_id: UUID
    invoice_number: str
    origin: str
    provider: str
    currency: str
    amount_minor: int
    reason: str
    decline: str | None
    failure_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentProcessing(Event):
    """The provider moves the money, which may take days."""

    type: ClassVar[str] = "payment.processing"
    subject_type: ClassVar[str] = "payment"

    invoice_id: UUID
    origin: str
    provider: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentActionRequired(Event):
    """The payer has to confirm a payment that was asked for without them, until `expires_at`."""

    type: ClassVar[str] = "payment.action_required"
    subject_type: ClassVar[str] = "payment"

    invoice_id: UUID
    invoice_number: str
    origin: str
    provider: str
    currency: str
    amount_minor: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCanceled(Event):
    """Nobody will pay this any more: it was withdrawn, or its page was closed or left."""

    type: ClassVar[str] = "payment.canceled"
    subject_type: ClassVar[str] = "payment"

    invoice_id: UUID
    origin: str
    provider: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceOverdue(Event):
    """The last day to pay has passed, and there was no method to collect with."""

    type: ClassVar[str] = "invoice.overdue"
    subject_type: ClassVar[str] = "invoice"

    number: str
    currency: str
    due_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRequested(Event):
    """Something only a person can decide; `kind` says what."""

    type: ClassVar[str] = "review.requested"
    subject_type: ClassVar[str] = "review_task"

    kind: str
    about_type: str
    about_id: UUID | None
