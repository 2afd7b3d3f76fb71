"""What does a meter look like in requests and answers?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from billwright.features.usage import model
from billwright.features.usage.operations.create_meter import CreateMeter
from billwright.features.usage.operations.update_meter import UpdateMeter
from billwright.surfaces.web.wire import (
    Choice,
    Code,
    Instant,
    Prose,
    RequestModel,
    ResponseModel,
    Text,
)

PropertyName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,39}$")]
"""The name of a property of an event."""

_DEFINITION: JsonDict = {
    "event_type": "api.request",
    "aggregation": "sum",
    "property": "tokens",
    "filters": {"region": ["eu", "us"]},
    "group_by": ["model"],
    "rounding": "ceil",
}
_METER: JsonDict = {"code": "tokens", "name": "Tokens", "definition": _DEFINITION}

EventType = Annotated[str, Field(description="Which events are counted, by their `type`.")]
Aggregated = Annotated[
    model.Aggregation,
    Field(
        description="What the events of a window come to. `count` is how many there are; "
        "`unique_count` how many different values the property has; `latest` the value of the last "
        "event; `weighted_sum` the value that was held over time, each until the next event, divided "
        "by the length of the whole period; the others are what they are called. Events at the same "
        "instant are in the order of their sources and ids."
    ),
]
Rounded = Annotated[
    model.WholeUnits | None,
    Field(
        description="How the quantity becomes whole: to the nearest with a half away from zero "
        "(`round`), up or down; null is to the millionth."
    ),
]
CarriesOver = Annotated[
    bool,
    Field(
        description="Whether a window starts from what was last known before it, as with seats and "
        "storage: a sum from all there was, `max`, `min`, `latest` and `weighted_sum` from the value "
        "that was still held. Otherwise it starts from nothing."
    ),
]
_PROPERTY = (
    "Which property of an event is aggregated; null is its `quantity`. Where numbers are aggregated, "
    "events whose property is none do not count. Required for `unique_count`, none for `count`."
)
_FILTERS = "Which values properties must have for an event to count; all of them must match."
_GROUP_BY = (
    "Properties for each combination of whose values the events are aggregated; the quantity is the "
    "sum of the groups."
)


class MeterDefinitionInput(RequestModel):
    """What a meter counts."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DEFINITION]})

    event_type: Annotated[Code, Field(description="Which events are counted, by their `type`.")]
    aggregation: Choice[Aggregated] = model.Aggregation.SUM
    property: Annotated[PropertyName | None, Field(description=_PROPERTY)] = None
    filters: Annotated[
        dict[PropertyName, Annotated[list[Text], Field(min_length=1, max_length=50)]],
        Field(max_length=10, description=_FILTERS),
    ] = {}  # noqa: RUF012 - pydantic copies it
    group_by: Annotated[list[PropertyName], Field(max_length=3, description=_GROUP_BY)] = []  # noqa: RUF012
    rounding: Choice[Rounded] = None
    carries_over: CarriesOver = False


class MeterInput(RequestModel):
    """A meter with its first definition."""

    model_config = ConfigDict(json_schema_extra={"examples": [_METER]})

    code: Annotated[Code, Field(description="By which plans name it; it never changes.")]
    name: Text
    description: Prose = ""
    definition: MeterDefinitionInput


class MeterUpdateInput(RequestModel):
    """What is to be another; what is left out stays as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Tokens of all models"}]})

    name: Text | None = None
    description: Prose | None = None
    definition: Annotated[
        MeterDefinitionInput | None,
        Field(description="As a whole; another one makes a new version."),
    ] = None


class MeterDefinition(ResponseModel):
    """What a meter counts."""

    event_type: EventType
    aggregation: Aggregated
    property: Annotated[str | None, Field(description=_PROPERTY)]
    filters: Annotated[dict[str, list[str]], Field(description=_FILTERS)]
    group_by: Annotated[list[str], Field(description=_GROUP_BY)]
    rounding: Rounded
    carries_over: CarriesOver


class MeterVersion(ResponseModel):
    """A definition as it was billed by; it never changes."""

    number: Annotated[int, Field(description="From 1; lines of invoices name it.")]
    definition: MeterDefinition


class Meter(ResponseModel):
    """What is counted for plans that name its code, by its newest version."""

    id: UUID
    code: str
    name: str
    description: str
    status: Annotated[
        model.MeterStatus,
        Field(description="An `archived` one stays as it is; what names it goes on being counted."),
    ]
    version: MeterVersion
    revision: Annotated[
        int, Field(description="Grows with every change; also the `ETag`, for `If-Match`.")
    ]
    created_at: Instant
    updated_at: Instant


def from_request(body: MeterInput) -> CreateMeter:
    return CreateMeter(
        code=body.code,
        name=body.name,
        description=body.description,
        definition=_definition(body.definition),
    )


def from_update_request(body: MeterUpdateInput, meter_code: str) -> UpdateMeter:
    return UpdateMeter(
        meter_code=meter_code,
        name=body.name,
        description=body.description,
        definition=None if body.definition is None else _definition(body.definition),
    )


def _definition(body: MeterDefinitionInput) -> model.MeterDefinition:
    return model.MeterDefinition(
        event_type=body.event_type,
        aggregation=body.aggregation,
        property=body.property,
        filters={name: tuple(values) for name, values in body.filters.items()},
        group_by=tuple(body.group_by),
        rounding=body.rounding,
        carries_over=body.carries_over,
    )


def to_response(meter: model.Meter) -> Meter:
    return Meter(
        id=meter.id,
        code=meter.code,
        name=meter.name,
        description=meter.description,
        status=meter.status,
        version=to_version(meter.version),
        revision=meter.revision,
        created_at=meter.created_at,
        updated_at=meter.updated_at,
    )


def to_version(version: model.MeterVersion) -> MeterVersion:
    definition = version.definition
    return MeterVersion(
        number=version.number,
        definition=MeterDefinition(
            event_type=definition.event_type,
            aggregation=definition.aggregation,
            property=definition.property,
            filters={name: list(values) for name, values in definition.filters.items()},
            group_by=list(definition.group_by),
            rounding=definition.rounding,
            carries_over=definition.carries_over,
        ),
    )
