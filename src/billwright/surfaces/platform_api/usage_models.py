"""What does usage look like in requests and answers?"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from billwright.features.usage import model
from billwright.features.usage.operations.correct_usage import Correction
from billwright.surfaces.platform_api.meters_models import PropertyName
from billwright.surfaces.web.wire import (
    Code,
    DecimalText,
    Instant,
    RequestModel,
    ResponseModel,
    Text,
)

_LINE = {"pattern": r"^[^\x00-\x1f]+$"}
TYPE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$"
PROPERTY_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,39}$"
QUANTITY_PATTERN = r"^-?(0|[1-9][0-9]{0,13})(\.[0-9]{1,6})?$"
_PROPERTY = msgspec.Meta(
    min_length=1,
    max_length=40,
    extra_json_schema={"pattern": PROPERTY_PATTERN},
)
_VALUE = msgspec.Meta(max_length=255, extra_json_schema={"pattern": r"^[^\x00-\x1f]*$"})
_UUID = msgspec.Meta(extra_json_schema={"format": "uuid"})
_LARGEST_NUMBER = 10**14 - 1

EventProperties = dict[
    Annotated[str, _PROPERTY],
    Annotated[str, _VALUE]
    | Annotated[int, msgspec.Meta(ge=-_LARGEST_NUMBER, le=_LARGEST_NUMBER)]
    | bool,
]


class UsageEventInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    """What was used, by whom and when."""

    id: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            max_length=255,
            description="With the source, what the event is known by for ever.",
            extra_json_schema={**_LINE, "examples": ["req-8f14e45f"]},
        ),
    ]
    source: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            max_length=255,
            description="What tells of the event, such as the name of a service.",
            extra_json_schema=_LINE,
        ),
    ] = "api"
    type: Annotated[
        str,
        msgspec.Meta(
            max_length=100,
            description="By which meters choose events; without a meter, what plans name.",
            extra_json_schema={"pattern": TYPE_PATTERN, "examples": ["api.request"]},
        ),
    ]
    time: Annotated[
        datetime,
        msgspec.Meta(
            tz=True,
            description="When it was used; it decides about the period.",
            extra_json_schema={"examples": ["2026-01-31T08:30:00Z"]},
        ),
    ]
    quantity: Annotated[
        str,
        msgspec.Meta(
            max_length=22,
            description="How much; below zero where it takes something back.",
            extra_json_schema={"pattern": QUANTITY_PATTERN, "examples": ["3", "0.5"]},
        ),
    ] = "1"
    properties: Annotated[
        EventProperties | None,
        msgspec.Meta(
            description="What meters may filter, group and aggregate by, at most 20; decimal numbers "
            "as strings."
        ),
    ] = None
    subscription_id: Annotated[str, _UUID] | None = None
    account_id: Annotated[
        Annotated[str, _UUID] | None,
        msgspec.Meta(description="Means its only subscription that has not ended."),
    ] = None
    subject: Annotated[
        Annotated[str, msgspec.Meta(min_length=1, max_length=255, extra_json_schema=_LINE)] | None,
        msgspec.Meta(
            description="The `external_id` of a subscription or else of an account. Exactly one of "
            "`subscription_id`, `account_id` and `subject` is given."
        ),
    ] = None


USAGE_EXAMPLE: JsonDict = {
    "events": [
        {
            "id": "req-8f14e45f",
            "type": "api.request",
            "time": "2026-01-15T08:30:00Z",
            "quantity": "3",
            "subject": "customer-17",
        }
    ]
}


class UsageBatchInput(msgspec.Struct, forbid_unknown_fields=True):
    """One event or many."""

    events: Annotated[list[UsageEventInput], msgspec.Meta(min_length=1, max_length=1000)]


class RecordedUsageEvent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """What became of an event."""

    source: str
    id: str
    status: Annotated[
        Literal["recorded", "repeated"],
        msgspec.Meta(description="Whether it is new, or was known with the same values."),
    ]


class RecordedUsage(msgspec.Struct, forbid_unknown_fields=True):
    """What became of each event, in the order of the request."""

    recorded: Annotated[int, msgspec.Meta(description="How many were new.")]
    repeated: int
    events: list[RecordedUsageEvent]


_EXAMPLE: JsonDict = {
    "corrections": [
        {"id": "mend-1", "action": "cancel", "corrects": {"id": "req-8f14e45f"}},
        {
            "id": "mend-2",
            "action": "replace",
            "corrects": {"id": "req-c9f0f895"},
            "quantity": "2",
        },
    ]
}


class EventNameInput(RequestModel):
    """What an event is known by."""

    source: Text = "api"
    id: Text


class CorrectionInput(RequestModel):
    """An event that takes another one away, or its place; it belongs to the same subscription."""

    id: Annotated[Text, Field(description="Of the correction, which is an event itself.")]
    source: Text = "api"
    action: Literal["cancel", "replace"]
    corrects: EventNameInput
    quantity: Annotated[
        DecimalText | None, Field(description="Of what takes its place; 1 if left out.")
    ] = None
    type: Annotated[Code | None, Field(description="The same if left out.")] = None
    time: Annotated[Instant | None, Field(description="The same if left out.")] = None
    properties: Annotated[
        dict[PropertyName, Annotated[str, Field(max_length=255)] | int | bool] | None,
        Field(max_length=20, description="Of what takes its place; none if left out."),
    ] = None

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> CorrectionInput:
        given = (self.quantity, self.type, self.time, self.properties)
        if self.action == "cancel" and any(one is not None for one in given):
            raise PydanticCustomError(
                "cancellation_with_values", "A cancellation has no values of its own"
            )
        return self


class CorrectionsInput(RequestModel):
    """One correction or many."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    corrections: Annotated[list[CorrectionInput], Field(min_length=1, max_length=1000)]


class RecordedCorrection(ResponseModel):
    """What became of a correction."""

    source: str
    id: str
    status: Annotated[
        Literal["recorded", "repeated"],
        Field(description="Whether it is new, or was known with the same values."),
    ]


class RecordedCorrections(ResponseModel):
    """What became of each correction, in the order of the request."""

    recorded: Annotated[int, Field(description="How many were new.")]
    repeated: int
    corrections: list[RecordedCorrection]


def from_correction(body: CorrectionInput) -> Correction:
    quantity = None
    if body.action == "replace":
        quantity = Decimal(1) if body.quantity is None else body.quantity
    return Correction(
        name=model.EventName(body.source, body.id),
        corrects=model.EventName(body.corrects.source, body.corrects.id),
        quantity=quantity,
        meter=body.type,
        occurred_at=body.time,
        properties=body.properties,
    )
