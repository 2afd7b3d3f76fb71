"""What happens to subscriptions?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from billwright.kernel.event import Event
from billwright.kernel.quick import quickly_made


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionCreated(Event):
    type: ClassVar[str] = "subscription.created"
    subject_type: ClassVar[str] = "subscription"

    number: int
    plan_code: str
    plan_version: int
    starts_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionTrialStarted(Event):
    type: ClassVar[str] = "subscription.trial_started"
    subject_type: ClassVar[str] = "subscription"

    number: int
    plan_code: str
    plan_name: str
    trial_start: datetime
    trial_end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionTrialExtended(Event):
    type: ClassVar[str] = "subscription.trial_extended"
    subject_type: ClassVar[str] = "subscription"

    trial_end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionTrialRepeated(Event):
    """The account has left a payment method with which another one has had a trial of the plan: the
    account named, on the instant named. `is_ended` says that the trial ends for it, as the seller wants.
    """

    type: ClassVar[str] = "subscription.trial_repeated"
    subject_type: ClassVar[str] = "subscription"

    number: int
    plan_code: str
    trial_end: datetime
    former_account_id: UUID
    former_trial_at: datetime
    is_ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionTrialEnding(Event):
    """A trial ends soon. `outcome` is what happens then as things stand: `continue` into the paid life,
    `pause` or `end`; `needs_payment_method` says that one would let it continue. `amount_minor` is what
    will be due with tax; null where nothing is invoiced then.
    """

    type: ClassVar[str] = "subscription.trial_ending"
    subject_type: ClassVar[str] = "subscription"

    number: int
    plan_code: str
    plan_name: str
    trial_end: datetime
    outcome: str
    needs_payment_method: bool
    amount_minor: int | None
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRenewalUpcoming(Event):
    """A subscription renews soon, to the plan that is named. `amount_minor` is what will be due with tax;
    null where nothing is invoiced then.
    """

    type: ClassVar[str] = "subscription.renewal_upcoming"
    subject_type: ClassVar[str] = "subscription"

    number: int
    plan_code: str
    plan_name: str
    renews_at: datetime
    amount_minor: int | None
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionStarted(Event):
    """It gives access as a paid subscription from now on."""

    type: ClassVar[str] = "subscription.started"
    subject_type: ClassVar[str] = "subscription"

    number: int
    plan_code: str
    plan_name: str
    period_start: datetime
    period_end: datetime


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRenewed(Event):
    type: ClassVar[str] = "subscription.renewed"
    subject_type: ClassVar[str] = "subscription"

    period_index: int
    period_start: datetime
    period_end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionChanged(Event):
    """Its plan or its quantities are others since `effective_at`."""

    type: ClassVar[str] = "subscription.changed"
    subject_type: ClassVar[str] = "subscription"

    plan_code: str
    plan_version: int
    effective_at: datetime
    proration: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionChangeScheduled(Event):
    """`supersedes` is the instant of the pending change that this one takes the place of."""

    type: ClassVar[str] = "subscription.change_scheduled"
    subject_type: ClassVar[str] = "subscription"

    plan_code: str
    plan_version: int
    effective_at: datetime
    supersedes: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionChangeUndone(Event):
    type: ClassVar[str] = "subscription.change_undone"
    subject_type: ClassVar[str] = "subscription"

    effective_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionChangeReverted(Event):
    """A change was undone because its invoice, which is void now, could not be collected: the plan is
    the one that it was before.
    """

    type: ClassVar[str] = "subscription.change_reverted"
    subject_type: ClassVar[str] = "subscription"

    number: int
    plan_code: str
    plan_version: int
    invoice_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionPaused(Event):
    type: ClassVar[str] = "subscription.paused"
    subject_type: ClassVar[str] = "subscription"

    paused_at: datetime
    resumes_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionResumed(Event):
    type: ClassVar[str] = "subscription.resumed"
    subject_type: ClassVar[str] = "subscription"

    period_start: datetime
    period_end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionBecamePastDue(Event):
    """A payment is missing since `past_due_at`; it goes on being served and renewed."""

    type: ClassVar[str] = "subscription.became_past_due"
    subject_type: ClassVar[str] = "subscription"

    number: int
    past_due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRecovered(Event):
    """What was missing has been paid: it is active in the period named."""

    type: ClassVar[str] = "subscription.recovered"
    subject_type: ClassVar[str] = "subscription"

    number: int
    period_start: datetime
    period_end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionBecameUnpaid(Event):
    """The payment was given up on: no service and no renewals from `unpaid_at` on, until it is paid."""

    type: ClassVar[str] = "subscription.became_unpaid"
    subject_type: ClassVar[str] = "subscription"

    number: int
    unpaid_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRenewalSet(Event):
    """Whether it renews by itself was decided."""

    type: ClassVar[str] = "subscription.renewal_set"
    subject_type: ClassVar[str] = "subscription"

    renews: bool
    ends_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionCollectionSet(Event):
    """Whether its invoices are collected was decided; `behavior` is null when they are."""

    type: ClassVar[str] = "subscription.collection_set"
    subject_type: ClassVar[str] = "subscription"

    behavior: str | None
    resumes_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionCancellationScheduled(Event):
    type: ClassVar[str] = "subscription.cancellation_scheduled"
    subject_type: ClassVar[str] = "subscription"

    cancel_at: datetime
    reason: str | None
    feedback: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionCancellationUndone(Event):
    type: ClassVar[str] = "subscription.cancellation_undone"
    subject_type: ClassVar[str] = "subscription"

    cancel_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionCanceled(Event):
    type: ClassVar[str] = "subscription.canceled"
    subject_type: ClassVar[str] = "subscription"

    ended_at: datetime
    plan_code: str
    plan_name: str
    reason: str | None
    feedback: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionExpired(Event):
    """Its first payment did not come in time."""

    type: ClassVar[str] = "subscription.expired"
    subject_type: ClassVar[str] = "subscription"

    expired_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionUsageAdjusted(Event):
    """What was billed for usage is another amount by what became known later; the difference comes on an
    invoice, or back where it is below zero.
    """

    type: ClassVar[str] = "subscription.usage_adjusted"
    subject_type: ClassVar[str] = "subscription"

    meter: str
    period_start: datetime
    period_end: datetime
    quantity_before: Decimal
    quantity: Decimal
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionUsageLeft(Event):
    """What was billed for usage would be another amount by what became known later, but the account is
    closed: the difference, before tax, is not billed unless the account is opened again.
    """

    type: ClassVar[str] = "subscription.usage_left"
    subject_type: ClassVar[str] = "subscription"

    reference: str
    period_start: datetime
    period_end: datetime
    amount_minor: int
    currency: str
