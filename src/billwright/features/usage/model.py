"""What is known of usage?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUsage:
    """What was used, as its source tells it; `quantity` is negative where it mends an earlier event.

    `source` and `event_id` together name the event for ever, so that it can be told again.
    """

    source: str
    event_id: str
    meter: str
    quantity: Decimal
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageWindow:
    """A question: what a subscription used of a meter from `start` up to, but not including, `end`.

    `key` is the caller's own, to find the answer by.
    """

    key: int
    subscription_id: UUID
    meter: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a window holds; `digest` is another one as soon as it holds anything else."""

    quantity: Decimal
    events: int
    digest: str
