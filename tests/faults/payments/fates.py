"""What can a provider decide, what can go wrong with a request, and what really stands in its ledger?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from billwright.features.payment_providers.model import AttemptState, Decline, DisputeState
from billwright.features.payment_providers.port import SavedMethod


class Fate(StrEnum):
    PAID = "paid"
    SOFT = "soft"
    HARD = "hard"
    SLOW_PAID = "slow_paid"
    SLOW_SOFT = "slow_soft"
    ACTION = "action"
    MORE = "more"
    LESS = "less"


class Fault(StrEnum):
    """The request was not sent; was lost on the way; or was done, and the answer lost."""

    DOWN = "down"
    LOST = "lost"
    UNANSWERED = "unanswered"


@dataclass(slots=True)
class Entry:
    """A payment, a page to pay or to leave a method on, or a refund, as it really stands."""

    reference: str
    key: str
    kind: str
    tenant_id: UUID | None
    fate: Fate
    state: AttemptState
    asked_minor: int
    currency: str
    created_at: datetime
    captured_minor: int = 0
    refunded_minor: int = 0
    lost_minor: int = 0
    code: str | None = None
    decline: Decline | None = None
    moves_at: datetime | None = None
    expires_at: datetime | None = None
    payment: str | None = None
    saves: bool = False
    saved: SavedMethod | None = None
    dispute: DisputeState | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    headers: dict[str, str]
    body: bytes
