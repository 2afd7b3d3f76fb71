"""What happens to subscriptions?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from billwright.kernel.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionStarted(Event):
    type: ClassVar[str] = "subscription.started"
    subject_type: ClassVar[str] = "subscription"

    number: int
    plan_code: str
    plan_name: str
    period_start: datetime
    period_end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRenewed(Event):
    type: ClassVar[str] = "subscription.renewed"
    subject_type: ClassVar[str] = "subscription"

    period_index: int
    period_start: datetime
    period_end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionCancellationScheduled(Event):
    type: ClassVar[str] = "subscription.cancellation_scheduled"
    subject_type: ClassVar[str] = "subscription"

    cancel_at: datetime
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionCanceled(Event):
    type: ClassVar[str] = "subscription.canceled"
    subject_type: ClassVar[str] = "subscription"

    ended_at: datetime
    plan_code: str
    plan_name: str
    reason: str | None
