"""How does a caller say which version of a thing its decision rests on?"""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from fastapi import Header
from starlette.responses import Response

ETAG: dict[str, Any] = {
    "headers": {
        "ETag": {
            "description": "The version of what is answered, for `If-Match`.",
            "schema": {"type": "string", "examples": ['"3"']},
        }
    }
}
"""What the document says of an answer that has a version."""

IfMatch = Annotated[
    str | None,
    Header(
        pattern=r'^(\*|"(0|[1-9][0-9]{0,8})")$',
        description="The `ETag` that the decision was based on: what has changed since is left alone.",
    ),
]
"""The route parameter that reads `If-Match`."""


class _Versioned(msgspec.Struct):
    version: msgspec.Raw = msgspec.Raw(b"null")
    revision: int | None = None


def with_etag(response: Response) -> Response:
    """The answer, which may be a stored one, with the version that it tells of as a header: its
    `revision` where it has one, because its `version` means something else.
    """
    answered = msgspec.json.decode(response.body, type=_Versioned)
    version = answered.revision
    if version is None:
        version = msgspec.json.decode(answered.version, type=int | None)
    response.headers["ETag"] = etag(version)
    return response


def etag(version: int | None) -> str:
    """The version as a header; 0 is what was never set."""
    return f'"{version or 0}"'


def version_of(if_match: str | None) -> int | None:
    """The version that is meant; none when any is."""
    digits = re.sub(r"\D", "", if_match or "")
    return int(digits) if digits else None
