"""What does a subscription look like in answers?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated
from uuid import UUID

from pydantic import Field

from billwright.features.catalog.model import PlanVersion, TrialEndBehavior
from billwright.features.subscriptions import model
from billwright.surfaces.platform_api import subscriptions_words as words
from billwright.surfaces.platform_api.fields import Quantity
from billwright.surfaces.platform_api.prices import PriceOutput, price_output
from billwright.surfaces.web.wire import CurrencyCode, Instant, ResponseModel


class SubscribedPlan(ResponseModel):
    """The plan and the version of its terms that were sold."""

    code: str
    name: str
    version: int


class BillingPeriod(ResponseModel):
    """The period that a subscription is in, or was in when it ended: `start` up to before `end`."""

    index: Annotated[int, Field(description="0 is the first period.")]
    start: Instant
    end: Instant


class SubscribedItem(ResponseModel):
    """How many units of a component are subscribed to."""

    component: Annotated[str, Field(description="The component's code.")]
    quantity: Quantity
    price: Annotated[
        PriceOutput | None,
        Field(description="A price of the subscription's own; null: the plan's price holds."),
    ]


class SubscriptionTrial(ResponseModel):
    """When nothing is owed, up to before `end`."""

    start: Instant | None
    end: Instant
    original_end: Annotated[Instant | None, Field(description=words.ORIGINAL_END)]
    state: Annotated[model.TrialState | None, Field(description=words.TRIAL_STATE)]
    end_behavior: Annotated[TrialEndBehavior, Field(description=words.TRIAL_END_BEHAVIOR)]


class SubscriptionCancellation(ResponseModel):
    """How a subscription ends, or has ended."""

    mode: Annotated[model.CancellationMode | None, Field(description=words.CANCELLATION_MODE)]
    at: Annotated[Instant | None, Field(description="When it will end, or has ended.")]
    requested_at: Annotated[Instant | None, Field(description="When its end was asked for.")]
    reason: Annotated[model.CancellationReason | None, Field(description="Who or what ends it.")]
    feedback: Annotated[model.CancellationFeedback | None, Field(description=words.FEEDBACK)]
    comment: Annotated[str | None, Field(description=words.COMMENT)]
    proration: Annotated[
        model.CancellationProration | None, Field(description=words.CANCELLATION_PRORATION)
    ]
    bills_final_usage: Annotated[bool, Field(description=words.FINAL_USAGE)]


class SubscriptionPause(ResponseModel):
    """Since when there is neither service nor billing."""

    at: Instant
    resumes_at: Annotated[Instant | None, Field(description=words.RESUMES_AT)]
    keeps_period: Annotated[
        bool,
        Field(description="Whether the period goes on when it resumes before the period's end."),
    ]


class PendingChange(ResponseModel):
    """What a subscription is to become."""

    plan: SubscribedPlan
    items: list[SubscribedItem]
    effective_at: Instant
    at_period_end: Annotated[
        bool, Field(description="Whether it is part of the renewal, and prorates nothing.")
    ]
    proration: Annotated[model.Proration, Field(description=words.PRORATION)]
    requested_at: Instant


class PausedCollection(ResponseModel):
    """What becomes of the invoices of a subscription that is not collected."""

    behavior: Annotated[model.CollectionPause, Field(description=words.COLLECTION)]
    resumes_at: Annotated[Instant | None, Field(description=words.COLLECTION_RESUMES_AT)]


class Subscription(ResponseModel):
    """A subscription as it stands."""

    id: UUID
    number: Annotated[str, Field(examples=["SUB-000001"])]
    external_id: str | None
    account_id: UUID
    plan: SubscribedPlan
    state: model.SubscriptionState
    activation: Annotated[model.Activation, Field(description=words.ACTIVATION)]
    activates_until: Annotated[
        Instant | None, Field(description="When it expires without its first payment.")
    ]
    currency: CurrencyCode
    period: BillingPeriod
    items: list[SubscribedItem]
    started_at: Annotated[Instant, Field(description="May lie in the future.")]
    bills_from: Annotated[
        Instant | None,
        Field(description="Service before was billed elsewhere; null where all is billed here."),
    ]
    trial: Annotated[SubscriptionTrial | None, Field(description="Null without one.")]
    renews: Annotated[bool, Field(description=words.RENEWS)]
    cancellation: Annotated[
        SubscriptionCancellation | None, Field(description="Null while no end is in sight.")
    ]
    ended_at: Instant | None
    pause: Annotated[SubscriptionPause | None, Field(description="Null while it is not paused.")]
    pending_change: Annotated[PendingChange | None, Field(description="Null without one.")]
    collection: Annotated[
        PausedCollection | None, Field(description="Null while invoices are collected.")
    ]
    past_due_at: Annotated[Instant | None, Field(description="Since when a payment is missing.")]
    test_clock_id: UUID | None
    metadata: dict[str, str]
    version: Annotated[
        int, Field(description="Grows with every change; also the `ETag`, for `If-Match`.")
    ]
    created_at: Instant
    updated_at: Instant


def version_ids(subscriptions: Iterable[model.Subscription]) -> list[UUID]:
    """The plan versions that must be known to answer subscriptions."""
    current = {one.plan_version_id for one in subscriptions}
    pending = {one.pending_change.plan_version_id for one in subscriptions if one.pending_change}
    return list(current | pending)


def to_response(
    subscription: model.Subscription, versions: Mapping[UUID, PlanVersion]
) -> Subscription:
    period = subscription.period
    version = versions[subscription.plan_version_id]
    return Subscription(
        id=subscription.id,
        number=subscription.reference,
        external_id=subscription.external_id,
        account_id=subscription.account_id,
        plan=plan_output(version),
        state=subscription.state,
        activation=subscription.activation,
        activates_until=subscription.activates_until,
        currency=subscription.currency,
        period=BillingPeriod(index=period.index, start=period.start, end=period.end),
        items=items_output(subscription.items, version, currency=subscription.currency),
        started_at=subscription.started_at,
        bills_from=subscription.bills_from,
        trial=_trial(subscription.trial),
        renews=subscription.renews,
        cancellation=_cancellation(subscription.cancellation),
        ended_at=subscription.ended_at,
        pause=_pause(subscription.pause),
        pending_change=pending_change_output(subscription, versions),
        collection=_collection(subscription),
        past_due_at=subscription.past_due_at,
        test_clock_id=subscription.test_clock_id,
        metadata=subscription.metadata,
        version=subscription.version,
        created_at=subscription.created_at,
        updated_at=subscription.updated_at,
    )


def plan_output(version: PlanVersion) -> SubscribedPlan:
    return SubscribedPlan(code=version.plan_code, name=version.name, version=version.number)


def items_output(
    items: Iterable[model.SubscriptionItem], version: PlanVersion, *, currency: str
) -> list[SubscribedItem]:
    codes: dict[UUID, str] = {component.id: component.code for component in version.components}
    return [
        SubscribedItem(
            component=codes[item.plan_component_id],
            quantity=item.quantity,
            price=price_output(item.pricing, currency) if item.pricing else None,
        )
        for item in items
    ]


def _trial(trial: model.Trial) -> SubscriptionTrial | None:
    if trial.end is None:
        return None
    return SubscriptionTrial(
        start=trial.start,
        end=trial.end,
        original_end=trial.original_end,
        state=trial.state,
        end_behavior=trial.end_behavior,
    )


def _cancellation(cancellation: model.Cancellation) -> SubscriptionCancellation | None:
    if cancellation.requested_at is None:
        return None
    return SubscriptionCancellation(
        mode=cancellation.mode,
        at=cancellation.at,
        requested_at=cancellation.requested_at,
        reason=cancellation.reason,
        feedback=cancellation.feedback,
        comment=cancellation.comment,
        proration=cancellation.proration,
        bills_final_usage=cancellation.bills_final_usage,
    )


def _pause(pause: model.Pause) -> SubscriptionPause | None:
    if pause.at is None:
        return None
    return SubscriptionPause(
        at=pause.at, resumes_at=pause.resumes_at, keeps_period=pause.keeps_period
    )


def pending_change_output(
    subscription: model.Subscription, versions: Mapping[UUID, PlanVersion]
) -> PendingChange | None:
    change = subscription.pending_change
    if change is None:
        return None
    version = versions[change.plan_version_id]
    return PendingChange(
        plan=plan_output(version),
        items=items_output(change.items, version, currency=subscription.currency),
        effective_at=change.effective_at,
        at_period_end=change.at_period_end,
        proration=change.proration,
        requested_at=change.requested_at,
    )


def _collection(subscription: model.Subscription) -> PausedCollection | None:
    if subscription.collection_paused is None:
        return None
    return PausedCollection(
        behavior=subscription.collection_paused, resumes_at=subscription.collection_resumes_at
    )
