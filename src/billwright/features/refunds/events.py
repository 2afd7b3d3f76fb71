"""What happens to refunds and disputes?

Amounts are in minor units of `currency`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from billwright.kernel.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSucceeded(Event):
    """Money went back to the payer."""

    type: ClassVar[str] = "refund.succeeded"
    subject_type: ClassVar[str] = "refund"

    payment_id: UUID
    invoice_id: UUID
    invoice_number: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFailed(Event):
    """The money did not go back."""

    type: ClassVar[str] = "refund.failed"
    subject_type: ClassVar[str] = "refund"

    payment_id: UUID
    invoice_id: UUID
    currency: str
    amount_minor: int
    failure_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeOpened(Event):
    """The payer's bank wants money back; evidence must be there by `respond_by`."""

    type: ClassVar[str] = "dispute.opened"
    subject_type: ClassVar[str] = "dispute"

    payment_id: UUID
    invoice_id: UUID
    currency: str
    amount_minor: int
    reason: str
    respond_by: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeClosed(Event):
    """The bank has decided: `outcome` is `won`, or `lost` and the money is gone."""

    type: ClassVar[str] = "dispute.closed"
    subject_type: ClassVar[str] = "dispute"

    payment_id: UUID
    invoice_id: UUID
    currency: str
    amount_minor: int
    outcome: str
