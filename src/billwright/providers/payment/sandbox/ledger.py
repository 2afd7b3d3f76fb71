"""What has the sandbox done so far?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from billwright.features.payments.model import AttemptState, Decline
from billwright.features.payments.port import SavedMethod
from billwright.kernel.money import Money
from billwright.providers.payment.sandbox.behaviors import Behavior


@dataclass(slots=True, kw_only=True)
class Entry:
    """A payment, setup or refund; `decided_at` is when one that is processing is decided by itself.

    `url` is the page on which a payer decides; `expires_at` is when it closes.
    """

    reference: str
    provider_key: str
    kind: str
    tenant_id: UUID | None
    state: AttemptState
    behavior: Behavior
    created_at: datetime
    amount: Money | None = None
    failure_code: str | None = None
    decline: Decline | None = None
    saved_method: SavedMethod | None = None
    saves_method: bool = False
    payment_reference: str | None = None
    url: str | None = None
    expires_at: datetime | None = None
    decided_at: datetime | None = None
    refunded_minor: int = 0


@dataclass(slots=True)
class Ledger:
    """Everything of one process, by key and by reference; it is gone when the process ends."""

    by_key: dict[str, Entry] = field(default_factory=dict)
    by_reference: dict[str, Entry] = field(default_factory=dict)

    def add(self, entry: Entry) -> Entry:
        self.by_key[entry.provider_key] = entry
        self.by_reference[entry.reference] = entry
        return entry

    def next_reference(self, prefix: str) -> str:
        return f"sandbox_{prefix}_{len(self.by_reference) + 1}"

    @property
    def moved_minor(self) -> int:
        """All money taken and not given back, in minor units."""
        paid = sum(
            entry.amount.amount_minor
            for entry in self.by_reference.values()
            if entry.amount and entry.kind == "payment" and entry.state is AttemptState.SUCCEEDED
        )
        return paid - sum(entry.refunded_minor for entry in self.by_reference.values())
