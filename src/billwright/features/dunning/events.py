"""What happens to unpaid invoices?

The subject is the case of dunning. Amounts are in minor units of `currency`. `step` is how far the
schedule is: 0 before its first step, and never a count of attempts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from billwright.kernel.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningOpened(Event):
    """An invoice was not paid and is pursued from here on; its subscriptions are past due since
    `past_due_at`. `next_attempt_at` is none where there is no method to try again with.
    """

    type: ClassVar[str] = "dunning.opened"
    subject_type: ClassVar[str] = "dunning_case"

    invoice_id: UUID
    invoice_number: str
    currency: str
    due_minor: int
    past_due_at: datetime
    next_attempt_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningStep(Event):
    """The schedule took its `step`; without a method to charge it was not `attempted`."""

    type: ClassVar[str] = "dunning.step"
    subject_type: ClassVar[str] = "dunning_case"

    invoice_id: UUID
    step: int
    attempted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningNoticeDue(Event):
    """The customer is to be told that `due_minor` is missing; once for each case, step and code.

    `next_attempt_at` is when it is tried again by itself, none where there is no method to try with.
    """

    type: ClassVar[str] = "dunning.notice"
    subject_type: ClassVar[str] = "dunning_case"

    invoice_id: UUID
    invoice_number: str
    step: int
    code: str
    currency: str
    due_minor: int
    next_attempt_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningAccessChanged(Event):
    """What the debt leaves of access now: `keep`, `degrade` (without `features`), `read_only` or
    `revoke`, of the subscriptions named or, where none is, of all that the account has.
    """

    type: ClassVar[str] = "dunning.access_changed"
    subject_type: ClassVar[str] = "dunning_case"

    invoice_id: UUID
    invoice_number: str
    effect: str
    features: tuple[str, ...]
    subscription_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningPaused(Event):
    """Nothing happens by itself before `until`."""

    type: ClassVar[str] = "dunning.paused"
    subject_type: ClassVar[str] = "dunning_case"

    invoice_id: UUID
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningResumed(Event):
    """A pause was ended before its time."""

    type: ClassVar[str] = "dunning.resumed"
    subject_type: ClassVar[str] = "dunning_case"

    invoice_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningRecovered(Event):
    """The debt is paid, and access is back in the same commit."""

    type: ClassVar[str] = "dunning.recovered"
    subject_type: ClassVar[str] = "dunning_case"

    invoice_id: UUID
    invoice_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningExhausted(Event):
    """The schedule is used up, and `action` follows for the subscriptions on the invoice, if there are
    any: cancel, mark_unpaid or leave_past_due.
    """

    type: ClassVar[str] = "dunning.exhausted"
    subject_type: ClassVar[str] = "dunning_case"

    invoice_id: UUID
    invoice_number: str
    action: str
    subscription_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningEnded(Event):
    """Nothing is pursued any more, although it was not paid: `state` is canceled or written_off."""

    type: ClassVar[str] = "dunning.ended"
    subject_type: ClassVar[str] = "dunning_case"

    invoice_id: UUID
    invoice_number: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningPolicyChanged(Event):
    """Debts that are opened from here on are pursued in another way: those of the plan or, where none
    is named, of the seller in general. The subject is the plan or the tenant.
    """

    type: ClassVar[str] = "dunning_policy.changed"
    subject_type: ClassVar[str] = "dunning_policy"

    plan_code: str | None
