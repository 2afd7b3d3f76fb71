"""What does a plan look like in requests?"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from billwright.features.catalog import model
from billwright.features.catalog.operations.create_plan import CreatePlan, NewComponent
from billwright.features.catalog.operations.create_plan_version import CreatePlanVersion
from billwright.features.catalog.operations.update_plan import UpdatePlan
from billwright.surfaces.platform_api import features_words as feature_words
from billwright.surfaces.platform_api import plans_words as words
from billwright.surfaces.platform_api.features_models import FeatureTermsInput
from billwright.surfaces.platform_api.fields import LARGEST_COUNT, Quantity
from billwright.surfaces.platform_api.intervals import IntervalInput
from billwright.surfaces.platform_api.prices import PriceInput
from billwright.surfaces.web.wire import (
    Choice,
    Code,
    Metadata,
    MoneyInput,
    Prose,
    RequestModel,
    Text,
)

_TERMS: JsonDict = {
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
            "free_units": "2",
            "prices": [{"model": "per_unit", "currency": "EUR", "price": "9.90"}],
        },
        {
            "code": "setup",
            "name": "Setup",
            "kind": "one_time",
            "optional": True,
            "prices": [{"model": "flat", "currency": "EUR", "price": "199.00"}],
        },
        {
            "code": "calls",
            "name": "API calls",
            "kind": "usage",
            "meter": "api_calls",
            "prices": [{"model": "per_unit", "currency": "EUR", "price": "0.0125"}],
            "minimums": [{"amount": "5.00", "currency": "EUR"}],
        },
    ],
    "features": [
        {"code": "sso", "name": "Single sign-on", "kind": "boolean", "value": True},
        {"code": "region", "name": "Region", "kind": "static", "value": "eu"},
        {"code": "api_calls", "name": "API calls", "kind": "metered", "value": "1000"},
        {
            "code": "exports",
            "name": "Exports",
            "kind": "metered",
            "value": "10",
            "add_on": "setup",
            "terms": {
                "limit_policy": "soft",
                "reset": {"kind": "calendar", "interval": {"unit": "day"}},
            },
        },
    ],
    "terms": {"trial_days": 14, "notice_days": 30, "ends_at_period_end": True},
}
_PLAN_EXAMPLE: JsonDict = {"code": "team", "name": "Team", **_TERMS}
_VERSION_EXAMPLE: JsonDict = {"name": "Team 2027", "expected_version": 1, **_TERMS}
UnitName = Annotated[Text, StringConstraints(max_length=40)]


class ComponentInput(RequestModel):
    """One line of a plan; every component of a plan has a price in the same currencies."""

    code: Code
    name: Annotated[Text, Field(description="As invoices name it.")]
    kind: Annotated[Choice[model.ComponentKind], Field(description=words.KIND)] = (
        model.ComponentKind.RECURRING
    )
    timing: Annotated[
        Choice[model.Timing] | None,
        Field(
            description=f"{words.TIMING} `usage` is always in arrears and `one_time` in advance; "
            "`recurring` is in advance if nothing is said."
        ),
    ] = None
    unit_name: Annotated[UnitName | None, Field(description="What is counted: seat, server.")] = (
        None
    )
    optional: Annotated[bool, Field(description=words.OPTIONAL)] = False
    free_units: Annotated[Quantity, Field(description=words.FREE_UNITS)] = Decimal(0)
    meter: Annotated[Code | None, Field(description=words.METER)] = None
    prices: Annotated[
        list[PriceInput],
        Field(min_length=1, max_length=50, description="One per currency, for a whole period."),
    ]
    minimums: Annotated[list[MoneyInput], Field(max_length=50, description=words.MINIMUMS)] = Field(
        default_factory=list
    )

    def to_component(self) -> NewComponent:
        return NewComponent(
            code=self.code,
            name=self.name,
            kind=self.kind,
            timing=self.timing,
            unit_name=self.unit_name or "",
            optional=self.optional,
            free_units=self.free_units,
            meter=self.meter,
            prices=tuple((price.currency, price.to_pricing()) for price in self.prices),
            minimums=tuple(
                (minimum.currency, minimum.to_money().amount_minor) for minimum in self.minimums
            ),
        )


class PlanFeatureInput(RequestModel):
    """What the plan gives of a feature, by itself or with an add-on. A feature may be given by both."""

    code: Code
    name: Text
    kind: Choice[model.FeatureKind]
    value: Annotated[bool | int | Text | None, Field(description=feature_words.VALUE)] = None
    add_on: Annotated[Code | None, Field(description=feature_words.ADD_ON)] = None
    terms: FeatureTermsInput = FeatureTermsInput()

    def to_feature(self) -> model.PlanFeature:
        return model.PlanFeature(
            self.code, self.name, self.kind, self.value, self.terms.to_terms(), self.add_on
        )


class TermsInput(RequestModel):
    """What a subscription agrees to beside prices."""

    alignment: Annotated[Choice[model.Alignment], Field(description=words.ALIGNMENT)] = (
        model.Alignment.ANNIVERSARY
    )
    calendar_day: Annotated[int | None, Field(ge=1, le=31, description=words.CALENDAR_DAY)] = None
    trial_days: Annotated[int, Field(ge=0, le=730, description=words.TRIAL_DAYS)] = 0
    trial_end_behavior: Annotated[
        Choice[model.TrialEndBehavior], Field(description=words.TRIAL_END_BEHAVIOR)
    ] = model.TrialEndBehavior.CREATE_INVOICE
    notice_days: Annotated[int, Field(ge=0, le=3650, description=words.NOTICE_DAYS)] = 0
    commitment_days: Annotated[int, Field(ge=0, le=3650, description=words.COMMITMENT_DAYS)] = 0
    ends_at_period_end: Annotated[bool, Field(description=words.ENDS_AT_PERIOD_END)] = False

    def to_terms(self) -> model.PlanTerms:
        return model.PlanTerms(**self.model_dump())


class SoldInput(RequestModel):
    """What a version of a plan says."""

    name: Annotated[Text, Field(description="As invoices name it.")]
    interval: IntervalInput
    components: Annotated[list[ComponentInput], Field(min_length=1, max_length=100)]
    features: Annotated[list[PlanFeatureInput], Field(max_length=200)] = Field(default_factory=list)
    tax_category: Annotated[
        Code, Field(description="One of the categories that the seller has a rate for.")
    ] = "standard"
    tax_inclusive: Annotated[bool, Field(description=words.TAX_INCLUSIVE)] = False
    terms: TermsInput = TermsInput()

    def to_version(self) -> dict[str, Any]:
        """The members of a command that makes a version."""
        return {
            "name": self.name,
            "interval": self.interval.to_interval(),
            "components": tuple(component.to_component() for component in self.components),
            "features": tuple(feature.to_feature() for feature in self.features),
            "tax_category": self.tax_category,
            "tax_inclusive": self.tax_inclusive,
            "terms": self.terms.to_terms(),
        }


class PlanInput(SoldInput):
    """Something to subscribe to."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PLAN_EXAMPLE]})

    code: Annotated[Code, Field(description="Names the plan in every other request.")]
    description: Prose = ""
    metadata: Metadata = Field(default_factory=dict)


class PlanVersionInput(SoldInput):
    """The whole terms of a plan anew; what is left out is not taken from the version before."""

    model_config = ConfigDict(json_schema_extra={"examples": [_VERSION_EXAMPLE]})

    expected_version: Annotated[
        int | None,
        Field(
            ge=1,
            le=LARGEST_COUNT,
            description="The plan's `version` that these terms are to replace: a plan that has got "
            "another one since is left alone.",
        ),
    ] = None


class PlanUpdateInput(RequestModel):
    """How the plan is described; what is left out stays. Metadata are replaced as a whole."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Team", "metadata": {"tier": "2"}}]}
    )

    # The defaults are never read: only what was sent is.
    name: Annotated[Text, Field(description="The plan's; versions that exist keep theirs.")] = (
        Field(default_factory=str)
    )
    description: Prose = Field(default_factory=str)
    metadata: Metadata = Field(default_factory=dict)


def from_request(body: PlanInput) -> CreatePlan:
    return CreatePlan(
        code=body.code,
        description=body.description,
        metadata=body.metadata,
        **body.to_version(),
    )


def from_version_request(body: PlanVersionInput, plan_code: str) -> CreatePlanVersion:
    return CreatePlanVersion(
        plan_code=plan_code,
        expected_version_number=body.expected_version,
        **body.to_version(),
    )


def from_update_request(body: PlanUpdateInput, plan_code: str) -> UpdatePlan:
    return UpdatePlan(plan_code=plan_code, **body.model_dump(exclude_unset=True))
