"""What do API keys look like in requests and answers?"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from billwright.features.identity import model
from billwright.surfaces.web.wire import Instant, RequestModel, ResponseModel, Text

_SCOPES = ", ".join(f"`{scope}`" for scope in sorted(model.SCOPES))
_EXAMPLE: JsonDict = {
    "name": "Metering service",
    "scopes": ["usage:write", "entitlements:read"],
    "expires_at": "2030-01-01T00:00:00Z",
}

Name = Annotated[Text, Field(description="By which people know it, such as who uses it.")]


class ApiKeyInput(RequestModel):
    """A key for what its holder needs, and for nothing else."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    name: Name
    scopes: Annotated[
        list[str],
        Field(
            min_length=1,
            max_length=len(model.SCOPES),
            description="What it opens, and never more than the key that creates it: "
            f"{_SCOPES}. A scope to write includes the one to read, `billing:read` is every read "
            "and `billing:write` is everything.",
        ),
    ]
    expires_at: Annotated[
        Instant | None, Field(description="From then on it opens nothing; null is never.")
    ] = None


class ApiKeyUpdateInput(RequestModel):
    """Another name for a key."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Metering, Frankfurt"}]})

    name: Name


class ApiKey(ResponseModel):
    """A key without its text, which nothing can show again."""

    id: UUID
    name: Name
    hint: Annotated[
        str, Field(description="How its text ends, to recognize it by.", examples=["x7Qa"])
    ]
    scopes: Annotated[list[str], Field(description="What it opens.")]
    status: Annotated[
        model.ApiKeyStatus, Field(description="One that is `expired` or `revoked` opens nothing.")
    ]
    created_at: Instant
    expires_at: Annotated[
        Instant | None, Field(description="From then on it opens nothing; null is never.")
    ]
    revoked_at: Annotated[Instant | None, Field(description="Null while it was not revoked.")]
    last_used_at: Annotated[
        Instant | None, Field(description="Right to the hour; null when it was never used.")
    ]


class ApiKeyWithText(ApiKey):
    """A key with its text, which is shown once."""

    key: Annotated[
        str,
        Field(description="To be sent as `Authorization: Bearer bw_...`.", examples=["bw_…"]),
    ]


def to_response(key: model.ApiKey, *, now: datetime) -> ApiKey:
    return ApiKey(
        id=key.id,
        name=key.name,
        hint=key.hint,
        scopes=list(key.scopes),
        status=key.status_at(now),
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        last_used_at=key.last_used_at,
    )


def with_text(key: model.ApiKey, text: str, *, now: datetime) -> ApiKeyWithText:
    return ApiKeyWithText(**dict(to_response(key, now=now)), key=text)
