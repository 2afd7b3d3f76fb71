"""What does a plan look like in requests and answers?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from billwright.features.catalog import model
from billwright.features.catalog.operations.create_plan import CreatePlan, NewComponent
from billwright.kernel.calendar import Interval, IntervalUnit
from billwright.kernel.refusal import Refusal
from billwright.surfaces.platform_api.prices import PriceInput, PriceOutput, price_output
from billwright.surfaces.web.wire import (
    Choice,
    Code,
    Instant,
    Metadata,
    Prose,
    RequestModel,
    ResponseModel,
    Text,
)

_EXAMPLE: JsonDict = {
    "code": "team",
    "name": "Team",
    "interval": {"unit": "month", "count": 1},
    "components": [
        {
            "code": "base",
            "name": "Base fee",
            "prices": [{"model": "flat", "currency": "EUR", "price": "29.00"}],
        },
        {
            "code": "seats",
            "name": "Seats",
            "unit_name": "seat",
            "prices": [{"model": "per_unit", "currency": "EUR", "price": "9.90"}],
        },
    ],
    "features": [
        {"code": "sso", "name": "Single sign-on", "kind": "boolean", "value": True},
        {"code": "region", "name": "Region", "kind": "static", "value": "eu"},
        {"code": "api_calls", "name": "API calls", "kind": "metered", "value": "1000"},
    ],
}
_VALUE = (
    "For `boolean` true or false; for `static` a text, a whole number, or true or false; for "
    "`metered` the limit per period as a decimal string, or null for no limit."
)

UnitName = Annotated[Text, StringConstraints(max_length=40)]


class IntervalInput(RequestModel):
    """The length of a billing period, up to about ten years."""

    unit: Choice[IntervalUnit]
    count: Annotated[int, Field(description="How many units, at least 1.")] = 1

    def to_interval(self) -> Interval:
        return Interval(self.unit, self.count)

    @model_validator(mode="after")
    def _is_possible(self) -> IntervalInput:
        try:
            self.to_interval()
        except Refusal as refusal:
            facts = {"detail": refusal.detail}
            raise PydanticCustomError(refusal.code, "{detail}", facts) from None
        return self


class ComponentInput(RequestModel):
    """One line of a plan; every component of a plan has a price in the same currencies."""

    code: Code
    name: Annotated[Text, Field(description="As invoices name it.")]
    timing: Annotated[
        Choice[model.Timing], Field(description="Whether a period is owed when it begins or ends.")
    ] = model.Timing.IN_ADVANCE
    unit_name: Annotated[UnitName | None, Field(description="What is counted: seat, server.")] = (
        None
    )
    prices: Annotated[
        list[PriceInput],
        Field(min_length=1, max_length=50, description="One per currency, for a whole period."),
    ]


class FeatureInput(RequestModel):
    """What the plan gives of a feature."""

    code: Code
    name: Text
    kind: Choice[model.FeatureKind]
    value: Annotated[bool | int | Text | None, Field(description=_VALUE)] = None


class PlanInput(RequestModel):
    """Something to subscribe to."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    code: Annotated[Code, Field(description="Names the plan in every other request.")]
    name: Text
    description: Prose = ""
    interval: IntervalInput
    tax_category: Annotated[
        Code, Field(description="One of the categories that the seller has a rate for.")
    ] = "standard"
    components: Annotated[list[ComponentInput], Field(min_length=1, max_length=100)]
    features: Annotated[list[FeatureInput], Field(max_length=200)] = Field(default_factory=list)
    metadata: Metadata = Field(default_factory=dict)


class BillingInterval(ResponseModel):
    """The length of a billing period."""

    unit: IntervalUnit
    count: int


class Component(ResponseModel):
    """One line of a plan."""

    code: str
    name: str
    timing: model.Timing
    unit_name: str
    prices: Annotated[list[PriceOutput], Field(description="One per currency.")]


class Feature(ResponseModel):
    """What the plan gives of a feature."""

    code: str
    name: str
    kind: model.FeatureKind
    value: Annotated[bool | int | str | None, Field(description=_VALUE)]


class Plan(ResponseModel):
    """A plan with its newest version; running subscriptions keep the version they were sold."""

    id: UUID
    code: str
    name: str
    description: str
    status: model.PlanStatus
    version: Annotated[int, Field(description="Grows when the terms change.")]
    interval: BillingInterval
    tax_category: str
    components: list[Component]
    features: list[Feature]
    metadata: dict[str, str]
    created_at: Instant


def from_request(body: PlanInput) -> CreatePlan:
    return CreatePlan(
        code=body.code,
        name=body.name,
        description=body.description,
        interval=body.interval.to_interval(),
        tax_category=body.tax_category,
        components=tuple(
            NewComponent(
                code=component.code,
                name=component.name,
                timing=component.timing,
                unit_name=component.unit_name or "",
                prices=tuple((price.currency, price.to_pricing()) for price in component.prices),
            )
            for component in body.components
        ),
        features=tuple(
            model.PlanFeature(feature.code, feature.name, feature.kind, feature.value)
            for feature in body.features
        ),
        metadata=body.metadata,
    )


def to_response(plan: model.Plan) -> Plan:
    version = plan.version
    return Plan(
        id=plan.id,
        code=plan.code,
        name=plan.name,
        description=plan.description,
        status=plan.status,
        version=version.number,
        interval=BillingInterval(unit=version.interval.unit, count=version.interval.count),
        tax_category=version.tax_category,
        components=[
            Component(
                code=component.code,
                name=component.name,
                timing=component.timing,
                unit_name=component.unit_name,
                prices=[
                    price_output(pricing, currency)
                    for currency, pricing in sorted(component.prices.items())
                ],
            )
            for component in version.components
        ],
        features=[
            Feature(code=feature.code, name=feature.name, kind=feature.kind, value=feature.value)
            for feature in version.features
        ],
        metadata=plan.metadata,
        created_at=plan.created_at,
    )
