"""What is known of a subscription?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, NamedTuple, NewType
from uuid import UUID

from billwright.features.catalog.model import PlanVersion, TrialEndBehavior
from billwright.features.invoicing.model import Basis, Billed
from billwright.features.pricing.rules.pricing import Pricing
from billwright.features.promotions.model import Redemption
from billwright.kernel.actor import Actor
from billwright.kernel.calendar import Period, Schedule
from billwright.kernel.quick import quickly_made

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


class Activation(StrEnum):
    """When access begins: with the subscription, or once its first invoice is paid."""

    IMMEDIATE = "immediate"
    ON_FIRST_PAYMENT = "on_first_payment"


class Proration(StrEnum):
    """What a change inside a period costs: the difference, invoiced at once or with the next invoice;
    nothing until the renewal; or a whole period from now on, without a credit for the old one.
    """

    INVOICE_NOW = "invoice_now"
    NEXT_INVOICE = "next_invoice"
    NONE = "none"
    FULL_RESET = "full_reset"


class OnPaymentFailure(StrEnum):
    """What becomes of a change that was invoiced at once when the first attempt to collect that is
    declined: it is undone, or it stays and the subscription is past due.
    """

    KEEP_OLD = "keep_old"
    APPLY_AND_PAST_DUE = "apply_and_past_due"


class CancellationMode(StrEnum):
    NOW = "now"
    PERIOD_END = "period_end"
    AT = "at"


class CancellationProration(StrEnum):
    """What becomes of the unused part that was invoiced in advance."""

    NONE = "none"
    CREDIT = "credit"
    REFUND = "refund"


class CancellationReason(StrEnum):
    """Who or what ends a subscription."""

    REQUESTED = "requested"
    NOT_RENEWED = "not_renewed"
    TRIAL_ENDED = "trial_ended"
    PAYMENT_FAILED = "payment_failed"
    TIMEOUT = "timeout"
    WITHDRAWAL = "withdrawal"
    ADMIN = "admin"


class CancellationFeedback(StrEnum):
    """Why the customer leaves, in its own view."""

    TOO_EXPENSIVE = "too_expensive"
    MISSING_FEATURES = "missing_features"
    SWITCHED_SERVICE = "switched_service"
    UNUSED = "unused"
    CUSTOMER_SERVICE = "customer_service"
    TOO_COMPLEX = "too_complex"
    LOW_QUALITY = "low_quality"
    OTHER = "other"


class CancellationState(StrEnum):
    PENDING = "pending"
    EFFECTIVE = "effective"
    UNDONE = "undone"


class TrialState(StrEnum):
    """What has become of a trial: it led into the paid life, or was over without that (`ended`), or was
    canceled before it was over.
    """

    SCHEDULED = "scheduled"
    ACTIVE = "active"
    CONVERTED = "converted"
    ENDED = "ended"
    CANCELED = "canceled"


class Boundary(StrEnum):
    """What happens at the end of a trial or a period: the next period begins, service waits for a
    payment method, or the subscription ends.
    """

    CONTINUE = "continue"
    PAUSE = "pause"
    END = "end"


class CollectionPause(StrEnum):
    """What becomes of invoices while collection is paused; the subscription goes on."""

    KEEP_AS_DRAFT = "keep_as_draft"
    MARK_UNCOLLECTIBLE = "mark_uncollectible"
    VOID = "void"


class PauseProration(StrEnum):
    """What becomes of the rest of a period that is paused: it waits for the resumption, as far as that
    comes before its end, or it is credited and the resumption begins a new period.
    """

    NONE = "none"
    CREDIT = "credit"


@quickly_made
@dataclass(frozen=True, slots=True)
class SubscriptionItem:
    """How many units of a plan's component are subscribed to.

    `pricing` is a price of the subscription's own. What is in arrears is owed since `accrues_from`,
    or since the period began where that is later or nothing is said.
    """

    plan_component_id: UUID
    quantity: Decimal
    pricing: Pricing | None = None
    accrues_from: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChange:
    """A change of plan or quantities that was asked for and comes at `effective_at`.

    At the end of the period it is part of the renewal and prorates nothing.
    """

    plan_version_id: UUID
    items: tuple[SubscriptionItem, ...]
    effective_at: datetime
    at_period_end: bool
    proration: Proration
    requested_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpaidChange:
    """What a subscription was before a change whose invoice is not paid yet; `redemptions` are the
    promotions that the change has moved, as they were.
    """

    invoice_id: UUID
    plan_version_id: UUID
    items: tuple[SubscriptionItem, ...]
    schedule: Schedule
    period: Period
    bills_from: datetime | None = None
    pending_change: PendingChange | None
    redemptions: tuple[Redemption, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The instants between which a subscription is tried; `end_behavior` is what happens then when the
    account has no payment method. `original_end` is where it was to end when it was planned.
    """

    start: datetime | None = None
    end: datetime | None = None
    original_end: datetime | None = None
    state: TrialState | None = None
    end_behavior: TrialEndBehavior = TrialEndBehavior.CREATE_INVOICE


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """What is known of a subscription's end: all none while nobody asked for it.

    `at` is when it will end, `requested_at` when that was asked for, and `mode` how. `at_period_end`: it
    ends with its period, also when that comes to end at another instant.
    """

    mode: CancellationMode | None = None
    at: datetime | None = None
    at_period_end: bool = False
    requested_at: datetime | None = None
    reason: CancellationReason | None = None
    feedback: CancellationFeedback | None = None
    comment: str | None = None
    proration: CancellationProration | None = None
    bills_final_usage: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Since when a subscription is paused and when it resumes by itself; `keeps_period` says whether
    the period that was running goes on when it resumes before its end.

    `taken_back` are the charges of prices in arrears that had been charged up to the renewal, by a change
    without proration: their rest was given back, and is owed again where the period goes on. What is
    unpaid has them too, without being paused.
    """

    at: datetime | None = None
    resumes_at: datetime | None = None
    keeps_period: bool = True
    taken_back: tuple[UUID, ...] = ()


@quickly_made
@dataclass(frozen=True, slots=True)
class Reminder:
    """How many days before the end of a trial or a period people are reminded of it: none for what is
    usual, 0 for never. `sent_for` is the last end that they were reminded of.
    """

    days: int | None = None
    sent_for: datetime | None = None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription as it stands; `period` is the one that it is in, or was in when it ended.

    A trial is a period of its own, and the schedule begins where it ends. `started_at` may lie in the
    future. `next_action_at` is when a job must look again; none when there is nothing to do. `renews`
    false lets it end with its period. `unpaid_change` is there until that change is paid, or something
    else has come after it. What was served before `bills_from` was billed elsewhere.
    """

    id: SubscriptionId
    number: int
    external_id: str | None
    account_id: UUID
    plan_version_id: UUID
    state: SubscriptionState
    activation: Activation = Activation.IMMEDIATE
    activates_until: datetime | None = None
    currency: str
    schedule: Schedule
    period: Period
    items: tuple[SubscriptionItem, ...]
    started_at: datetime
    bills_from: datetime | None = None
    next_action_at: datetime | None
    trial: Trial = Trial()
    renews: bool = True
    reminder: Reminder = Reminder()
    cancellation: Cancellation = Cancellation()
    ended_at: datetime | None = None
    pause: Pause = Pause()
    pending_change: PendingChange | None = None
    unpaid_change: UnpaidChange | None = None
    collection_paused: CollectionPause | None = None
    collection_resumes_at: datetime | None = None
    past_due_at: datetime | None = None
    test_clock_id: UUID | None
    metadata: dict[str, str] = field(default_factory=dict)
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def reference(self) -> str:
        """The number as people read it."""
        return f"SUB-{self.number:06d}"

    @property
    def is_billed_elsewhere(self) -> bool:
        """Whether what its period costs was charged before it came here, so that nobody here knows it."""
        return self.bills_from is not None and self.period.end <= self.bills_from

    @property
    def gives_access(self) -> bool:
        return self.state in _STATES_WITH_ACCESS


_STATES_WITH_ACCESS = frozenset(
    {SubscriptionState.TRIALING, SubscriptionState.ACTIVE, SubscriptionState.PAST_DUE}
)


@dataclass(frozen=True, slots=True)
class Commanded:
    """A subscription as a command left it, the terms that it has now, and what was billed."""

    subscription: Subscription
    version: PlanVersion
    billed: Billed = Billed()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedCancellation:
    """A cancellation that was asked for, or an end that came by itself: then there is no `mode`.

    `cancel_at` is when it takes effect, or was to. One that another one took the place of is undone. The
    actor is none where it was not recorded.
    """

    id: UUID
    account_id: UUID
    subscription_id: UUID
    plan_code: str
    state: CancellationState
    mode: CancellationMode | None
    cancel_at: datetime
    reason: CancellationReason
    feedback: CancellationFeedback | None
    comment: str | None
    proration: CancellationProration | None
    bills_final_usage: bool
    actor: Actor | None
    requested_at: datetime
    undone_at: datetime | None = None
    effective_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """What was recorded of a command on a subscription, or of a step in its life.

    `details` are a command's values, or what a step changed.
    """

    id: UUID
    action: str
    actor: Actor
    cause: str
    occurred_at: datetime
    details: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledUsage:
    """What was billed for the usage of a component in a window, as far as it was known at `cutoff`.

    `owed_minor` is what it came to with its minimum and before discounts; `basis` says from what.
    Without events there is no digest, and no version of the meter was asked. `adjustments` is how
    often what became known later has changed it.
    """

    id: UUID
    subscription_id: UUID
    plan_component_id: UUID
    meter: str
    meter_version: int | None
    start: datetime
    end: datetime
    cutoff: datetime
    quantity: Decimal
    events: int
    digest: str | None
    owed_minor: int
    basis: Basis
    adjustments: int = 0


class UsageSubject(NamedTuple):
    """Whose usage it is, as a source says it: `kind` is what the value names."""

    kind: Literal["subscription_id", "account_id", "subject"]
    value: UUID | str
