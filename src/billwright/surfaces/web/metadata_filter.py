"""How is a list narrowed down to what carries certain metadata?

By `metadata[key]=value`, once for each entry; what is found has all of them.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request

from billwright.surfaces.web.wire import is_storable

_PARAMETER = re.compile(r"metadata\[(?P<key>[^\]]*)\]")
_MOST_ENTRIES = 5
_LONGEST_KEY = 40
_LONGEST_VALUE = 500

METADATA_PARAMETER: dict[str, Any] = {
    "parameters": [
        {
            "name": "metadata",
            "in": "query",
            "style": "deepObject",
            "explode": True,
            "description": "Only what carries all of these entries: `metadata[key]=value`.",
            "schema": {
                "type": "object",
                "maxProperties": _MOST_ENTRIES,
                "propertyNames": {
                    "minLength": 1,
                    "maxLength": _LONGEST_KEY,
                    "pattern": r"^[^\]]*$",
                },
                "additionalProperties": {"type": "string", "maxLength": _LONGEST_VALUE},
                "examples": [{"tier": "gold"}],
            },
        }
    ]
}
"""What the document says of it: `openapi_extra` of the route."""


def _read(request: Request) -> dict[str, str] | None:
    entries: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        found = _PARAMETER.fullmatch(name)
        if found is None:
            continue
        key = found["key"]
        if key in entries or not _is_entry(key, value=value):
            raise _malformed(name)
        entries[key] = value
    if len(entries) > _MOST_ENTRIES:
        raise _malformed("metadata")
    return entries or None


def _is_entry(key: str, *, value: str) -> bool:
    return (
        1 <= len(key) <= _LONGEST_KEY
        and len(value) <= _LONGEST_VALUE
        and is_storable(key)
        and is_storable(value)
    )


def _malformed(parameter: str) -> RequestValidationError:
    problem = {
        "type": "metadata_filter",
        "loc": ("query", parameter),
        "msg": f"Must name each of at most {_MOST_ENTRIES} keys once, with a value that metadata "
        f"may have",
    }
    return RequestValidationError([problem])


MetadataFilter = Annotated[dict[str, str] | None, Depends(_read)]
"""The route parameter that reads `metadata[key]=value`; none where nothing is asked for."""
