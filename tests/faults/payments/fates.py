"""What can a provider decide, what can go wrong with a request, and what really stands in its ledger?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from billwright.features.payment_providers.model import (
    AttemptState,
    Decline,
    DisputeState,
    MethodKind,
)
from billwright.features.payment_providers.port import Dispute, SavedMethod
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money


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

    @property
    def disputed(self) -> Dispute | None:
        """What the payer's bank wants back of it."""
        if self.dispute is None:
            return None
        return Dispute(
            reference=f"dispute_{self.reference}",
            payment_reference=self.reference,
            state=self.dispute,
            amount=Money(self.captured_minor, currency_of(self.currency)),
            reason="fraudulent",
            respond_by=None,
        )


@dataclass(frozen=True, slots=True)
class Delivery:
    headers: dict[str, str]
    body: bytes


def card_of(reference: str, key: str) -> SavedMethod:
    """What somebody has left on a page, or once more what they had left."""
    return SavedMethod(
        reference=f"card of {reference}".removeprefix("card of card of "),
        kind=MethodKind.CARD,
        label="Visa •••• 4242",
        payer_reference=f"payer of {key}",
    )
