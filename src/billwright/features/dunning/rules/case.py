"""What is known of one case of dunning, what may happen to it, and what may follow?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billwright.features.dunning.rules.policy import EntitlementStep, FinalAction
from billwright.features.payment_providers.model import Decline
from billwright.kernel.money import Money


class CaseState(StrEnum):
    """Of all that have ended only `exhausted` leaves something owed: a payment still settles it."""

    OPEN = "open"
    RECOVERED = "recovered"
    EXHAUSTED = "exhausted"
    CANCELED = "canceled"
    WRITTEN_OFF = "written_off"


class Origin(StrEnum):
    """Who asked for an attempt; only a scheduled one advances the steps.

    `checkout` is a payment by another way than the method on file. Nobody asked the case for it; it
    only holds the schedule while it is under way.
    """

    SCHEDULED = "scheduled"
    NEW_METHOD = "new_method"
    MANUAL = "manual"
    CHECKOUT = "checkout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The dunning of one unpaid invoice, as it stands.

    `step` counts how far the schedule is: a fact of its own, and not the number of declined
    `attempts`, which is greater by those that somebody asked for beside it. `waiting_since` is when
    the wait for the next step began, `noticed` are the notices of that wait. `under_way` is who asked
    for the attempt whose outcome is not known yet. It is `chargeable` while there is a method that may
    help; a `fresh_method` has not been tried yet. `entitlement_index` counts the entitlement steps that
    have taken effect.
    """

    opened_at: datetime
    past_due_at: datetime
    state: CaseState = CaseState.OPEN
    step: int = 0
    attempts: int = 0
    waiting_since: datetime
    next_step_at: datetime | None
    under_way: Origin | None = None
    chargeable: bool = True
    fresh_method: bool = False
    noticed: tuple[str, ...] = ()
    entitlement_index: int = 0
    paused_until: datetime | None = None
    ended_at: datetime | None = None

    @property
    def next_attempt_at(self) -> datetime | None:
        """When the schedule tries again; none also when its next step has nothing to charge."""
        return self.next_step_at if self.chargeable else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """Nothing has happened but that it is `at`."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    at: datetime
    decline: Decline


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """An attempt is processing, requires action, or nobody knows what became of it."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAttempted:
    """It is certain that the provider was never asked."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualRetry:
    """A person, the seller's or the customer, asks for an attempt now with the method on file."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodAdded:
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodRemoved:
    """The account has no method left that could be charged."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DueReduced:
    """A part was paid or credited; `due` is what is left."""

    at: datetime
    due: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """Nothing happens by itself before `until`; what came due meanwhile comes then."""

    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    at: datetime


class Settlement(StrEnum):
    """Why nothing is to be collected any more; `canceled` is the subscription, `credited` the whole."""

    PAID = "paid"
    CANCELED = "canceled"
    VOIDED = "voided"
    CREDITED = "credited"
    WRITTEN_OFF = "written_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    at: datetime
    by: Settlement


CaseEvent = (
    TimePassed
    | Declined
    | Unsettled
    | NotAttempted
    | ManualRetry
    | MethodAdded
    | MethodRemoved
    | DueReduced
    | Paused
    | Resumed
    | Settled
)


@dataclass(frozen=True, slots=True)
class Retry:
    """Reserve an attempt now; the case takes its outcome as the next event about an attempt."""

    origin: Origin


@dataclass(frozen=True, slots=True)
class PassOver:
    """The step came, and there was no method to charge."""

    step: int


@dataclass(frozen=True, slots=True)
class Notify:
    """Request a notice; it is given once for each step and code."""

    step: int
    code: str


@dataclass(frozen=True, slots=True)
class Restrict:
    """Bring access to what the entitlement step leaves of it."""

    step: EntitlementStep


@dataclass(frozen=True, slots=True)
class Finish:
    """The schedule is used up, or the case too old."""

    action: FinalAction


@dataclass(frozen=True, slots=True)
class Restore:
    """Lift every restriction that this case put on, and what made the subscription past due."""


Effect = Retry | PassOver | Notify | Restrict | Finish | Restore


@dataclass(frozen=True, slots=True)
class Outcome:
    """The case after an event, and what is to be done in the same transaction, in this order."""

    case: Case
    effects: tuple[Effect, ...] = ()
