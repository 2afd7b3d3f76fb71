"""What a test needs to play a case of dunning: a customer in Berlin, whose hours are from 9 to 17."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from billwright.features.dunning.rules.case import (
    Case,
    CaseEvent,
    Declined,
    Effect,
    Outcome,
    TimePassed,
)
from billwright.features.dunning.rules.policy import DunningPolicy
from billwright.features.dunning.rules.progress import after, due_at, open_case
from billwright.features.payment_providers.model import Decline

ZONE = "Europe/Berlin"
MONDAY = datetime(2026, 6, 1, 8, tzinfo=UTC)
"""10 o'clock in Berlin."""
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
QUIET = DunningPolicy(notices=(), entitlement_steps=())
"""The default without what only accompanies the attempts."""


class Playing:
    """One case that is moved on; `effects` are those of its last event."""

    def __init__(
        self,
        policy: DunningPolicy = QUIET,
        *,
        decline: Decline | None = Decline.SOFT,
        chargeable: bool = True,
        at: datetime = MONDAY,
        zone: str = ZONE,
    ) -> None:
        self.policy, self.zone = policy, zone
        outcome = open_case(
            policy, at=at, past_due_at=at, decline=decline, chargeable=chargeable, zone=zone
        )
        self._take(outcome)

    def take(self, event: CaseEvent) -> Sequence[Effect]:
        return self._take(after(self.case, event, policy=self.policy, zone=self.zone))

    def pass_to(self, at: datetime) -> Sequence[Effect]:
        """Let time alone pass, at every instant at which something is due; all that follows."""
        effects: list[Effect] = []
        while (due := self.due_at) is not None and due <= at:
            effects += self.take(TimePassed(at=due))
            assert self.due_at != due, "time would stand still"
        return effects

    def decline(self, at: datetime, decline: Decline = Decline.SOFT) -> Sequence[Effect]:
        return self.take(Declined(at=at, decline=decline))

    @property
    def due_at(self) -> datetime | None:
        return due_at(self.case, self.policy)

    def _take(self, outcome: Outcome) -> Sequence[Effect]:
        self.case: Case = outcome.case
        self.effects: Sequence[Effect] = outcome.effects
        return outcome.effects
