"""What is known of a subscription?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NewType
from uuid import UUID

from billwright.kernel.calendar import Period, Schedule

SubscriptionId = NewType("SubscriptionId", UUID)


class SubscriptionState(StrEnum):
    SCHEDULED = "scheduled"
    INCOMPLETE = "incomplete"
    EXPIRED = "expired"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    PAUSED = "paused"
    CANCELED = "canceled"


class CancellationMode(StrEnum):
    NOW = "now"
    PERIOD_END = "period_end"


class CancellationReason(StrEnum):
    """Why a subscription ends: the customer's feedback."""

    TOO_EXPENSIVE = "too_expensive"
    MISSING_FEATURES = "missing_features"
    SWITCHED_SERVICE = "switched_service"
    UNUSED = "unused"
    CUSTOMER_SERVICE = "customer_service"
    TOO_COMPLEX = "too_complex"
    LOW_QUALITY = "low_quality"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SubscriptionItem:
    """How many units of a plan's component are subscribed to."""

    plan_component_id: UUID
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription as it stands; `period` is the one that it is in, or was in when it ended.

    `cancel_at` is when it will end; `canceled_at` is when that was asked for, and `ended_at` when it
    came true. `next_action_at` is when a job must look again; none when there is nothing to do.
    """

    id: SubscriptionId
    number: int
    external_id: str | None
    account_id: UUID
    plan_version_id: UUID
    state: SubscriptionState
    currency: str
    schedule: Schedule
    period: Period
    items: tuple[SubscriptionItem, ...]
    started_at: datetime
    next_action_at: datetime | None
    cancel_at: datetime | None
    canceled_at: datetime | None
    cancellation_reason: CancellationReason | None
    cancellation_comment: str | None
    ended_at: datetime | None
    test_clock_id: UUID | None
    metadata: dict[str, str]
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def reference(self) -> str:
        """The number as people read it."""
        return f"SUB-{self.number:06d}"
