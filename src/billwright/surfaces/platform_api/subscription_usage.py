"""How does a platform see what a subscription has used, and what was billed for it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from billwright.features.catalog.model import Feature, FeatureKind, PlanVersion
from billwright.features.catalog.sql.reads import versions_of_components
from billwright.features.catalog.sql.reads_features import features_by_code
from billwright.features.entitlements.model import Decision
from billwright.features.entitlements.operations.answer_questions import given_now
from billwright.features.subscriptions import model
from billwright.features.subscriptions.errors import subscription_unknown
from billwright.features.subscriptions.operations.measure_usage import (
    MeasuredComponent,
    MeasuredUsage,
    measure_usage,
)
from billwright.features.subscriptions.sql.reads import subscription_by_id
from billwright.features.subscriptions.sql.reads_usage import list_billed_usage
from billwright.features.usage.model import UsedGroup
from billwright.features.usage.rules.aggregation import quantity_of
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader
from billwright.surfaces.platform_api.fields import Quantity, plain
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import Instant, MoneyModel, ResponseModel

router = APIRouter(prefix="/subscriptions", tags=["usage"])

_LISTING = Listing("billed_usage", tuple[datetime, UUID])
_MOST_GROUPS = 100

SignedQuantity = Annotated[
    str, Field(description="Below zero where more was taken back than used.", examples=["1250.5"])
]
LimitQuantity = Annotated[str, Field(examples=["1000"])]
MeterVersionNumber = Annotated[
    int | None,
    Field(description="By which it was counted; 0 when nobody had defined the meter, null unused."),
]
Digest = Annotated[
    str | None,
    Field(description="Another one as soon as the window holds other events; null without any."),
]


class UsageGroup(ResponseModel):
    """What was used of one combination of the properties that the meter groups by."""

    values: Annotated[
        list[str | None], Field(description="In the order of the meter's `group_by`.")
    ]
    quantity: SignedQuantity
    events: int


class ComponentUsage(ResponseModel):
    """What was used of a component in the window that it will be billed for."""

    component: str
    name: str
    meter: str
    meter_version: MeterVersionNumber
    start: Instant
    end: Instant
    quantity: SignedQuantity
    unit_name: str
    free_units: Annotated[Quantity, Field(description="Cost nothing in a whole period.")]
    events: int
    digest: Digest
    groups: Annotated[
        list[UsageGroup], Field(description="The first 100, if the meter groups; else none.")
    ]


class LimitUsage(ResponseModel):
    """What was used of a metered feature, as the subscription's entitlements say it."""

    feature: str
    name: str
    limit: Annotated[
        LimitQuantity | None, Field(description="With what grants have left; null is no limit.")
    ]
    used: Annotated[LimitQuantity, Field(description="Since the count began.")]
    remaining: Annotated[
        LimitQuantity | None,
        Field(description="What may be used beside all that is reserved; null without a limit."),
    ]
    resets_at: Annotated[
        Instant | None,
        Field(
            description="When the count starts anew, which need not be when the period ends; null "
            "when nobody knows."
        ),
    ]


class SubscriptionUsage(ResponseModel):
    """What is known by now of the usage of the running period."""

    subscription_id: UUID
    period_start: Instant
    period_end: Instant
    components: Annotated[list[ComponentUsage], Field(description="In the order of the plan.")]
    limits: Annotated[
        list[LimitUsage],
        Field(
            description="Of each metered feature that the subscription gives, in the order of their "
            "codes: with add-ons, overrides, grants and what is shared with other subscriptions, "
            "exactly as its entitlements say it at this moment. Whether it may be used, they say too."
        ),
    ]


class BilledUsage(ResponseModel):
    """What was billed for the usage of a component in a window that has ended."""

    id: UUID
    component: str
    name: str
    meter: str
    meter_version: MeterVersionNumber
    start: Instant
    end: Instant
    cutoff: Annotated[
        Instant, Field(description="What was recorded later has not been counted yet.")
    ]
    quantity: Quantity
    events: int
    digest: Digest
    amount: Annotated[
        MoneyModel, Field(description="With the component's minimum and before discounts.")
    ]
    adjustments: Annotated[
        int, Field(description="How often what was recorded later has changed the amount.")
    ]


@router.get(
    "/{subscription_id}/usage",
    summary="Get what a subscription uses",
    responses=refusals.of_reading(subscription_unknown),
)
async def get_subscription_usage(reader: Reader, subscription_id: UUID) -> SubscriptionUsage:
    """In its period, as if nothing more came until that ends; of its limits, in their own windows."""
    async with reader.tx() as tx:
        measured = await measure_usage(tx, subscription_id)
        account_id = measured.subscription.account_id
        _, given = await given_now(tx, account_id, subscription_id=subscription_id)
        metered = [one for one in given.features if one.kind is FeatureKind.METERED]
        features = await features_by_code(tx, [one.feature for one in metered])
    return _to_response(measured, metered, features=features)


@router.get(
    "/{subscription_id}/billed-usage",
    summary="List what was billed for usage",
    responses=refusals.of_listing(subscription_unknown),
)
async def list_subscription_billed_usage(
    reader: Reader, subscription_id: UUID, page: PageParameters
) -> Page[BilledUsage]:
    """A component in each window that has ended, also where nothing was used; the last one first."""
    filters = {"subscription_id": subscription_id}
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        subscription = await subscription_by_id(tx, subscription_id)
        billed = await list_billed_usage(tx, subscription_id, before=after, limit=page.limit + 1)
        versions = await versions_of_components(tx, [one.plan_component_id for one in billed])
    return _LISTING.page(
        billed,
        page,
        filters=filters,
        key=lambda one: (one.end, one.id),
        to_response=lambda one: _to_billed(
            one, versions[one.plan_component_id], currency=subscription.currency
        ),
    )


def _to_response(
    measured: MeasuredUsage, metered: Sequence[Decision], *, features: Mapping[str, Feature]
) -> SubscriptionUsage:
    return SubscriptionUsage(
        subscription_id=measured.subscription.id,
        period_start=measured.subscription.period.start,
        period_end=measured.subscription.period.end,
        components=[_to_component(one) for one in measured.components],
        limits=[_to_limit(one, features[one.feature].name) for one in metered],
    )


def _to_limit(decision: Decision, name: str) -> LimitUsage:
    return LimitUsage.model_validate(
        {
            "feature": decision.feature,
            "name": name,
            "limit": decision.limit,
            "used": decision.used,
            "remaining": decision.remaining,
            "resets_at": decision.resets_at,
        }
    )


def _to_component(measured: MeasuredComponent) -> ComponentUsage:
    component, used = measured.component, measured.used
    grouped = [one for one in used.groups if one.values] if used else []
    return ComponentUsage(
        component=component.code,
        name=component.name,
        meter=component.meter or component.code,
        meter_version=used.meter_version if used else None,
        start=measured.start,
        end=measured.end,
        quantity=plain(used.quantity) if used else "0",
        unit_name=component.unit_name,
        free_units=component.free_units,
        events=used.events if used else 0,
        digest=used.digest if used else None,
        groups=[_to_group(one) for one in sorted(grouped, key=_by_values)[:_MOST_GROUPS]],
    )


def _by_values(group: UsedGroup) -> list[str]:
    return [value or "" for value in group.values]


def _to_group(group: UsedGroup) -> UsageGroup:
    return UsageGroup(
        values=list(group.values),
        quantity=plain(quantity_of([group], rounding=None)),
        events=group.events,
    )


def _to_billed(billed: model.BilledUsage, version: PlanVersion, *, currency: str) -> BilledUsage:
    component = next(one for one in version.components if one.id == billed.plan_component_id)
    return BilledUsage(
        id=billed.id,
        component=component.code,
        name=component.name,
        meter=billed.meter,
        meter_version=billed.meter_version,
        start=billed.start,
        end=billed.end,
        cutoff=billed.cutoff,
        quantity=billed.quantity,
        events=billed.events,
        digest=billed.digest,
        amount=MoneyModel.from_money(Money(billed.owed_minor, currency_of(currency))),
        adjustments=billed.adjustments,
    )
