"""What exactly is wrong with a request, and where?

Every problem of a request is named at once, with a code of this product rather than of the
validation library. The rejected input is never repeated, because it may be a secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic_core.core_schema import ErrorType

from billwright.kernel.refusal import FieldProblem

_CODES: dict[str, str] = {
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "too_short": "too_short",
    "string_too_short": "too_short",
    "bytes_too_short": "too_short",
    "too_long": "too_long",
    "string_too_long": "too_long",
    "bytes_too_long": "too_long",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "less_than_equal": "out_of_range",
    "enum": "unknown_choice",
    "literal_error": "unknown_choice",
    "union_tag_invalid": "unknown_choice",
    "union_tag_not_found": "required",
}
_LIBRARY_TYPES = frozenset(get_args(ErrorType))
_BODY = "body"
# Depends on the input and may repeat a part of it, so the detail names the format alone.
_FORMATS = {
    "uuid_parsing": "Must be a UUID.",
    "uuid_version": "Must be a UUID.",
    "url_parsing": "Must be a URL.",
}

# A union's choice goes wrong at the member that chooses, not at the whole object.
_AT_DISCRIMINATOR = frozenset({"union_tag_not_found", "union_tag_invalid"})
_ABSENT = frozenset({"missing", "union_tag_not_found"})

ParameterProblem = Mapping[str, str]


def problems_in_body(errors: Sequence[Mapping[str, Any]], body: object) -> list[FieldProblem]:
    """The problems in the body, each at the JSON pointer of the value it concerns."""
    return [
        FieldProblem(_pointer(error, body), _code(error), _detail(error))
        for error in errors
        if error["loc"] and error["loc"][0] == _BODY
    ]


def problems_in_parameters(errors: Sequence[Mapping[str, Any]]) -> list[ParameterProblem]:
    """The problems outside the body: `in` is `path`, `query`, `header` or `cookie`."""
    return [
        {
            "in": str(error["loc"][0]),
            "parameter": ".".join(str(part) for part in error["loc"][1:]),
            "code": _code(error),
            "detail": _detail(error),
        }
        for error in errors
        if error["loc"] and error["loc"][0] != _BODY
    ]


def _code(error: Mapping[str, Any]) -> str:
    kind: str = error["type"]
    if kind in _CODES:
        return _CODES[kind]
    if kind not in _LIBRARY_TYPES:
        return kind
    return "wrong_type" if kind.endswith("_type") else "malformed"


def _detail(error: Mapping[str, Any]) -> str:
    kind = error["type"]
    if kind == "union_tag_not_found":
        return "Field required."
    if kind == "union_tag_invalid":
        return f"Input should be {error['ctx']['expected_tags']}."
    message = _FORMATS.get(kind) or str(error["msg"])
    return message if message.endswith(".") else f"{message}."


def _pointer(error: Mapping[str, Any], body: Any) -> str:
    """An RFC 6901 pointer. Locations also name union members and dictionary keys as such, which
    are no part of the document: what the document does not contain is left out, unless it is the
    missing member itself.
    """
    location: tuple[str | int, ...] = error["loc"][1:]
    if error["type"] in _AT_DISCRIMINATOR:
        location = (*location, error["ctx"]["discriminator"].strip("'"))
    absent = location[-1] if location and error["type"] in _ABSENT else None
    pointer = ""
    value = body
    for part in location:
        if _contains(value, part):
            value = value[part]
        elif not (isinstance(value, Mapping) and part == absent):
            continue
        pointer += "/" + str(part).replace("~", "~0").replace("/", "~1")
    return pointer


def _contains(value: object, part: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, Mapping) and part in value
