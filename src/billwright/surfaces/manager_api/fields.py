"""Which values does the manager API write in a form of its own?

Members are in camelCase. What a client may leave out it may also send as null.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from billwright.features.identity.model import Role
from billwright.surfaces.web.wire import Choice, Instant, RequestModel, ResponseModel

# In any script; the domain has a point, and nothing that means something in the head of a mail is in it.
_NO_SIGNS = r"\s@<>()\[\],;:\\\"\x00-\x1f\x7f"
_LABEL = rf"[^{_NO_SIGNS}._]+"
_EMAIL = rf"^[^{_NO_SIGNS}]+@{_LABEL}(\.{_LABEL})+$"

_INSTANT_SCHEMA = {
    "type": "string",
    "format": "date-time",
    "examples": ["2026-01-15T12:00:00.000Z"],
}


class CamelRequest(RequestModel):
    """A body that a client sends."""

    model_config = ConfigDict(alias_generator=to_camel)


class CamelResponse(ResponseModel):
    """A body that a client is sent."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


def _in_milliseconds(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _day_as_its_start(value: object) -> object:
    if isinstance(value, str) and len(value) == len("2026-01-31"):
        try:
            return datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC)
        except ValueError:
            return value
    return value


Moment = Annotated[
    datetime, PlainSerializer(_in_milliseconds, return_type=str), WithJsonSchema(_INSTANT_SCHEMA)
]
"""A point in time as clients write it themselves: UTC, to the millisecond."""

MomentInput = Annotated[
    Instant, BeforeValidator(_day_as_its_start), WithJsonSchema(_INSTANT_SCHEMA)
]
"""A point in time with any offset; a date is its first moment in UTC."""

Email = Annotated[
    str,
    StringConstraints(max_length=254, pattern=_EMAIL),
    AfterValidator(str.lower),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": 254}),
    Field(description="Capital letters do not count.", examples=["ada@northlight.example"]),
]

NewPassword = Annotated[
    str,
    StringConstraints(min_length=8, max_length=1024),
    Field(
        json_schema_extra={"format": "password"},
        description="8 characters or more, and at most 1024 bytes.",
        examples=["correct horse battery"],
    ),
]

Password = Annotated[
    str,
    StringConstraints(max_length=1024),
    Field(
        json_schema_extra={"format": "password"},
        description="As it was set.",
        examples=["correct horse battery"],
    ),
]

MailedCode = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z0-9]{6}$"),
    Field(description="As it was mailed.", examples=["7Q2MXA"]),
]

RoleInput = Annotated[
    Choice[Role],
    Field(description="`controller` may no more than `user`.", examples=["user"]),
]
