"""What does a feature look like in requests and answers, and what is given of it?"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from billwright.features.catalog import model
from billwright.features.catalog.operations.create_feature import CreateFeature
from billwright.features.catalog.operations.update_feature import UpdateFeature
from billwright.kernel.calendar import IntervalUnit
from billwright.surfaces.platform_api import features_words as words
from billwright.surfaces.platform_api.fields import Quantity
from billwright.surfaces.platform_api.intervals import IntervalInput
from billwright.surfaces.web.wire import Choice, Code, Instant, RequestModel, ResponseModel, Text

_RESET: JsonDict = {"kind": "calendar", "interval": {"unit": "day", "count": 1}}
_DEFINITION: JsonDict = {
    "value": "1000",
    "terms": {"limit_policy": "soft_capped", "soft_cap": "100", "reset": _RESET},
}
_FEATURE: JsonDict = {
    "code": "api_calls",
    "name": "API calls",
    "kind": "metered",
    "meter": "api_requests",
    "combination": "additive",
}


class ResetInput(RequestModel):
    """When a count starts anew."""

    kind: Annotated[Choice[model.ResetKind], Field(description=words.RESET_KIND)] = (
        model.ResetKind.BILLING_CYCLE
    )
    interval: Annotated[IntervalInput | None, Field(description=words.RESET_INTERVAL)] = None
    window_seconds: Annotated[
        int | None, Field(ge=60, le=31_622_400, description=words.WINDOW_SECONDS)
    ] = None

    def to_reset(self) -> model.Reset:
        return model.Reset(
            self.kind,
            None if self.interval is None else self.interval.to_interval(),
            None if self.window_seconds is None else timedelta(seconds=self.window_seconds),
        )


class FeatureTermsInput(RequestModel):
    """How a feature is limited, beside its value; of one that is not metered only `kept_when_unpaid`
    may be said.
    """

    limit_policy: Annotated[Choice[model.LimitPolicy], Field(description=words.LIMIT_POLICY)] = (
        model.LimitPolicy.HARD
    )
    soft_cap: Annotated[Quantity | None, Field(description=words.SOFT_CAP)] = None
    reset: ResetInput = ResetInput()
    preserve_overage: Annotated[bool, Field(description=words.PRESERVE_OVERAGE)] = False
    kept_when_unpaid: Annotated[bool, Field(description=words.KEPT_WHEN_UNPAID)] = False

    def to_terms(self) -> model.FeatureTerms:
        return model.FeatureTerms(
            limit_policy=self.limit_policy,
            soft_cap=self.soft_cap,
            reset=self.reset.to_reset(),
            preserve_overage=self.preserve_overage,
            kept_when_unpaid=self.kept_when_unpaid,
        )


class DefinitionInput(RequestModel):
    """What is given of a feature."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DEFINITION, {"value": True}]})

    value: Annotated[bool | int | Text | None, Field(description=words.VALUE)]
    terms: FeatureTermsInput = FeatureTermsInput()

    def to_definition(self) -> model.FeatureDefinition:
        return model.FeatureDefinition(value=self.value, terms=self.terms.to_terms())


class FeatureInput(RequestModel):
    """Something that software will ask about."""

    model_config = ConfigDict(json_schema_extra={"examples": [_FEATURE]})

    code: Annotated[Code, Field(description="By which plans and access decisions name it.")]
    name: Text
    kind: Annotated[Choice[model.FeatureKind], Field(description=words.FEATURE_KIND)]
    meter: Annotated[Code | None, Field(description=words.FEATURE_METER)] = None
    combination: Annotated[Choice[model.Combination], Field(description=words.COMBINATION)] = (
        model.Combination.ADDITIVE
    )
    on_change: Annotated[Choice[model.AllowanceChange], Field(description=words.ON_CHANGE)] = (
        model.AllowanceChange.PRORATE_GRANT
    )
    options: Annotated[
        list[Text] | None, Field(min_length=1, max_length=100, description=words.OPTIONS)
    ] = None


class FeatureUpdateInput(RequestModel):
    """What of the feature is to be another; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Single sign-on (SAML)"}]})

    # The defaults are never read: only what was sent is.
    name: Text = Field(default_factory=str)
    meter: Annotated[Code | None, Field(description=words.FEATURE_METER)] = None
    combination: Annotated[Choice[model.Combination], Field(description=words.COMBINATION)] = (
        model.Combination.ADDITIVE
    )
    on_change: Annotated[Choice[model.AllowanceChange], Field(description=words.ON_CHANGE)] = (
        model.AllowanceChange.PRORATE_GRANT
    )
    options: Annotated[
        list[Text] | None, Field(min_length=1, max_length=100, description=words.OPTIONS)
    ] = None


class ResetInterval(ResponseModel):
    """How long a count lasts on the calendar."""

    unit: IntervalUnit
    count: int


class Reset(ResponseModel):
    """When a count starts anew."""

    kind: Annotated[model.ResetKind, Field(description=words.RESET_KIND)]
    interval: Annotated[ResetInterval | None, Field(description=words.RESET_INTERVAL)]
    window_seconds: Annotated[int | None, Field(description=words.WINDOW_SECONDS)]


class FeatureTerms(ResponseModel):
    """How a feature is limited, beside its value."""

    limit_policy: Annotated[model.LimitPolicy, Field(description=words.LIMIT_POLICY)]
    soft_cap: Annotated[Quantity | None, Field(description=words.SOFT_CAP)]
    reset: Reset
    preserve_overage: Annotated[bool, Field(description=words.PRESERVE_OVERAGE)]
    kept_when_unpaid: Annotated[bool, Field(description=words.KEPT_WHEN_UNPAID)]


class Definition(ResponseModel):
    """What is given of a feature."""

    value: Annotated[bool | int | str | None, Field(description=words.VALUE)]
    terms: FeatureTerms


class Feature(ResponseModel):
    """Something that software asks about, as all plans share it."""

    id: UUID
    code: Annotated[str, Field(description="By which plans and access decisions name it.")]
    name: Annotated[
        str,
        Field(
            description="As it is called now; versions of plans keep the name that they gave it."
        ),
    ]
    kind: Annotated[model.FeatureKind, Field(description=words.FEATURE_KIND)]
    meter: Annotated[str | None, Field(description=words.FEATURE_METER)]
    combination: Annotated[model.Combination, Field(description=words.COMBINATION)]
    on_change: Annotated[model.AllowanceChange, Field(description=words.ON_CHANGE)]
    options: Annotated[list[str] | None, Field(description=words.OPTIONS)]
    default: Annotated[
        Definition | None,
        Field(description="What an account has of it that nothing else gives; null is nothing."),
    ]
    version: Annotated[int, Field(description="Grows with every change.")]
    created_at: Instant
    updated_at: Instant


def from_request(body: FeatureInput) -> CreateFeature:
    return CreateFeature(
        code=body.code,
        name=body.name,
        kind=body.kind,
        meter=body.meter,
        combination=body.combination,
        on_change=body.on_change,
        options=None if body.options is None else tuple(body.options),
    )


def from_update_request(body: FeatureUpdateInput, feature_code: str) -> UpdateFeature:
    changes = body.model_dump(exclude_unset=True)
    if changes.get("options") is not None:
        changes["options"] = tuple(changes["options"])
    return UpdateFeature(feature_code=feature_code, changes=changes)  # type: ignore[arg-type]


def to_response(feature: model.Feature) -> Feature:
    return Feature(
        id=feature.id,
        code=feature.code,
        name=feature.name,
        kind=feature.kind,
        meter=feature.meter,
        combination=feature.combination,
        on_change=feature.on_change,
        options=None if feature.options is None else list(feature.options),
        default=None if feature.default is None else to_definition(feature.default),
        version=feature.version,
        created_at=feature.created_at,
        updated_at=feature.updated_at,
    )


def to_definition(definition: model.FeatureDefinition) -> Definition:
    return Definition(value=definition.value, terms=to_terms(definition.terms))


def to_terms(terms: model.FeatureTerms) -> FeatureTerms:
    reset = terms.reset
    return FeatureTerms(
        limit_policy=terms.limit_policy,
        soft_cap=terms.soft_cap,
        reset=Reset(
            kind=reset.kind,
            interval=None
            if reset.interval is None
            else ResetInterval(unit=reset.interval.unit, count=reset.interval.count),
            window_seconds=None if reset.window is None else reset.window // timedelta(seconds=1),
        ),
        preserve_overage=terms.preserve_overage,
        kept_when_unpaid=terms.kept_when_unpaid,
    )
