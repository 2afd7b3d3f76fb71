"""What happens to payments?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from billwright.kernel.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSucceeded(Event):
    """The money is there. Amounts in minor units of `currency`; `unapplied_minor` is the part for
    which nothing was due any more.
    """

    type: ClassVar[str] = "payment.succeeded"
    subject_type: ClassVar[str] = "payment"

    invoice_id: UUID
    invoice_number: str
    provider: str
    method: str
    currency: str
    amount_minor: int
    unapplied_minor: int
    paid_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFailed(Event):
    """The provider said no, or was certainly never asked (`reason` is `not_attempted`)."""

    type: ClassVar[str] = "payment.failed"
    subject_type: ClassVar[str] = "payment"

    invoice_id: UUID
    invoice_number: str
    provider: str
    currency: str
    amount_minor: int
    reason: str
    failure_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReviewRequested(Event):
    """After a week nobody but a person can tell what became of it."""

    type: ClassVar[str] = "payment.review_requested"
    subject_type: ClassVar[str] = "payment"

    invoice_id: UUID
    provider: str
    provider_key: str
