"""What do personal access tokens look like in requests and answers?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from billwright.features.identity import model
from billwright.surfaces.manager_api.fields import (
    CamelRequest,
    CamelResponse,
    Moment,
    MomentInput,
)
from billwright.surfaces.web.wire import Text

_NARROWED: JsonDict = {"name": "Reporting", "scopes": ["invoices:read"]}
_CREATED: JsonDict = {**_NARROWED, "expiresAt": "2030-01-01T00:00:00.000Z"}
_TOKEN = "fp_pat_…"  # noqa: S105 - the beginning of all of them


def _each_once(scopes: list[str]) -> list[str]:
    if len(set(scopes)) < len(scopes):
        raise PydanticCustomError("repeated", "Must not name a scope twice")
    return scopes


TokenName = Annotated[Text, Field(description="By which its owner knows it, such as what uses it.")]
TokenScopes = Annotated[
    list[Annotated[str, Field(max_length=100)]],
    Field(
        min_length=1,
        max_length=100,
        description="What it opens: of those that `GET /auth/token-scopes` lists, each once.",
        json_schema_extra={"uniqueItems": True},
    ),
    AfterValidator(_each_once),
]


class CreatePersonalAccessTokenDto(CamelRequest):
    """A token for what a program of the user needs, and for nothing else."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CREATED]})

    name: TokenName
    scopes: TokenScopes
    expires_at: Annotated[
        MomentInput | None, Field(description="From then on it opens nothing; without it, never.")
    ] = None


class UpdatePersonalAccessTokenDto(CamelRequest):
    """Another name and other scopes for a token, whose text stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [_NARROWED]})

    name: TokenName
    scopes: TokenScopes


class ExchangePersonalAccessTokenDto(CamelRequest):
    """A token to sign in with."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"token": _TOKEN}]})

    token: Annotated[str, Field(description="Its whole text.")]


class PersonalAccessTokenScopeDto(CamelResponse):
    """A scope that the user may give to a token."""

    scope: Annotated[
        str, Field(description="To be named when a token is created.", examples=["invoices:read"])
    ]


class PersonalAccessTokenResponseDto(CamelResponse):
    """A token; its text is in the answer that created it, and in no other."""

    id: Annotated[UUID, Field(description="By which it is changed and revoked.")]
    name: Annotated[str, Field(description="By which its owner knows it.")]
    token_prefix: Annotated[
        str,
        Field(description="How its text begins, to know it by.", examples=["fp_pat_Zk3w9Qx1"]),
    ]
    scopes: Annotated[list[str], Field(description="What it opens, as long as its owner may.")]
    expires_at: Annotated[Moment | None, Field(description="Null: never.")]
    revoked_at: Annotated[Moment | None, Field(description="Null while it was not revoked.")]
    last_used_at: Annotated[
        Moment | None, Field(description="Right to five minutes; null when it was never used.")
    ]
    created_at: Annotated[Moment, Field(description="Since when there is the token.")]
    token: Annotated[
        str | SkipJsonSchema[None],
        Field(description="The text, once: nothing can show it again.", examples=[_TOKEN]),
    ] = None


def token_response(
    token: model.PersonalAccessToken, *, text: str | None = None
) -> PersonalAccessTokenResponseDto:
    return PersonalAccessTokenResponseDto(
        id=token.id,
        name=token.name,
        token_prefix=token.prefix,
        scopes=list(token.scopes),
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
        last_used_at=token.last_used_at,
        created_at=token.created_at,
        **({} if text is None else {"token": text}),
    )
