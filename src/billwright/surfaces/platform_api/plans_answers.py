"""What does a plan look like in answers?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from billwright.features.catalog import model
from billwright.kernel.calendar import IntervalUnit
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.surfaces.platform_api import features_words as feature_words
from billwright.surfaces.platform_api import plans_words as words
from billwright.surfaces.platform_api.features_models import FeatureTerms, to_terms
from billwright.surfaces.platform_api.fields import Quantity
from billwright.surfaces.platform_api.prices import PriceOutput, price_output
from billwright.surfaces.web.wire import Instant, MoneyModel, ResponseModel


class BillingInterval(ResponseModel):
    """The length of a billing period."""

    unit: IntervalUnit
    count: int


class Component(ResponseModel):
    """One line of a plan."""

    code: str
    name: str
    kind: Annotated[model.ComponentKind, Field(description=words.KIND)]
    timing: Annotated[model.Timing, Field(description=words.TIMING)]
    unit_name: str
    optional: Annotated[bool, Field(description=words.OPTIONAL)]
    free_units: Annotated[Quantity, Field(description=words.FREE_UNITS)]
    meter: Annotated[str | None, Field(description=words.METER)]
    prices: Annotated[list[PriceOutput], Field(description="One per currency.")]
    minimums: Annotated[list[MoneyModel], Field(description=words.MINIMUMS)]


class PlanFeature(ResponseModel):
    """What the plan gives of a feature."""

    code: str
    name: str
    kind: model.FeatureKind
    value: Annotated[bool | int | str | None, Field(description=feature_words.VALUE)]
    add_on: Annotated[str | None, Field(description=feature_words.ADD_ON)]
    terms: FeatureTerms


class Terms(ResponseModel):
    """What a subscription agrees to beside prices."""

    alignment: Annotated[model.Alignment, Field(description=words.ALIGNMENT)]
    calendar_day: Annotated[int | None, Field(description=words.CALENDAR_DAY)]
    trial_days: Annotated[int, Field(description=words.TRIAL_DAYS)]
    trial_end_behavior: Annotated[
        model.TrialEndBehavior, Field(description=words.TRIAL_END_BEHAVIOR)
    ]
    notice_days: Annotated[int, Field(description=words.NOTICE_DAYS)]
    commitment_days: Annotated[int, Field(description=words.COMMITMENT_DAYS)]
    ends_at_period_end: Annotated[bool, Field(description=words.ENDS_AT_PERIOD_END)]


class Sold(ResponseModel):
    """What a version of a plan says."""

    interval: BillingInterval
    tax_category: str
    tax_inclusive: Annotated[bool, Field(description=words.TAX_INCLUSIVE)]
    components: list[Component]
    features: list[PlanFeature]
    terms: Terms


class Plan(Sold):
    """A plan with its newest version; running subscriptions keep the version they were sold."""

    id: UUID
    code: str
    name: str
    description: str
    status: model.PlanStatus
    version: Annotated[int, Field(description="Grows when the terms change.")]
    revision: Annotated[
        int, Field(description="Grows with every change; also the `ETag`, for `If-Match`.")
    ]
    metadata: dict[str, str]
    created_at: Instant


class PlanVersion(Sold):
    """The terms of a plan as they were sold from some day on; they never change."""

    id: UUID
    plan_code: str
    version: Annotated[int, Field(description="1 for the first; each is one more.")]
    name: Annotated[str, Field(description="As invoices name it.")]
    created_at: Instant


def to_response(plan: model.Plan) -> Plan:
    return Plan(
        id=plan.id,
        code=plan.code,
        name=plan.name,
        description=plan.description,
        status=plan.status,
        version=plan.version.number,
        revision=plan.revision,
        metadata=plan.metadata,
        created_at=plan.created_at,
        **_sold(plan.version),
    )


def to_version_response(version: model.PlanVersion) -> PlanVersion:
    return PlanVersion(
        id=version.id,
        plan_code=version.plan_code,
        version=version.number,
        name=version.name,
        created_at=version.created_at,
        **_sold(version),
    )


def _sold(version: model.PlanVersion) -> dict[str, Any]:
    return {
        "interval": BillingInterval(unit=version.interval.unit, count=version.interval.count),
        "tax_category": version.tax_category,
        "tax_inclusive": version.tax_inclusive,
        "components": [_component(component) for component in version.components],
        "features": [
            PlanFeature(
                code=feature.code,
                name=feature.name,
                kind=feature.kind,
                value=feature.value,
                add_on=feature.add_on,
                terms=to_terms(feature.terms),
            )
            for feature in version.features
        ],
        "terms": Terms(**asdict(version.terms)),
    }


def _component(component: model.PlanComponent) -> Component:
    return Component(
        code=component.code,
        name=component.name,
        kind=component.kind,
        timing=component.timing,
        unit_name=component.unit_name,
        optional=component.optional,
        free_units=component.free_units,
        meter=component.meter,
        prices=[
            price_output(pricing, currency)
            for currency, pricing in sorted(component.prices.items())
        ],
        minimums=[
            MoneyModel.from_money(Money(minimum_minor, currency_of(currency)))
            for currency, minimum_minor in sorted(component.minimums.items())
        ],
    )
