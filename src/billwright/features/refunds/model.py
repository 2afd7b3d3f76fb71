"""What is known of money that goes back, or that a bank wants back?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from billwright.features.payment_providers.model import DisputeState
from billwright.features.payments.model import PaymentId
from billwright.kernel.money import Money

RefundId = NewType("RefundId", UUID)
DisputeId = NewType("DisputeId", UUID)


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
