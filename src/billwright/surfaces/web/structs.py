"""How is a body read that is too large for the framework's models?

By msgspec, in one pass, which stops at the first problem; that one is named like any other.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from billwright.kernel.refusal import FieldProblem, Refusal
from billwright.surfaces.web.body_limit import DEFAULT_BODY_BYTES, too_large
from billwright.surfaces.web.errors import request_invalid

Body = TypeVar("Body")

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_FIELD = re.compile(r"field `(.+)`")
_CODES = (
    ("missing required field", "required"),
    ("unknown field", "unknown_field"),
    ("of length >=", "too_short"),
    ("of length <=", "too_long"),
    (">=", "out_of_range"),
    ("<=", "out_of_range"),
    ("enum value", "unknown_choice"),
    (", got `", "wrong_type"),
)


async def whole_body(request: Request) -> bytes:
    """What `request.body()` reads, at a quarter of the price and once only: most bodies come in one
    part. A hot route refuses one that is too large here, by 413.
    """
    parts, size, largest = [], 0, request.scope.get("largest_body", DEFAULT_BODY_BYTES)
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > largest:
            raise too_large(largest)
        if not message.get("more_body", False):
            return part if len(parts) == 1 else b"".join(parts)


def header_of(request: Request, name: bytes) -> str | None:
    """What the first header of that name says; without the mapping that `request.headers` makes."""
    for given, value in request.scope["headers"]:
        if given == name:
            return str(value, "latin-1")
    return None


def read_body(decoder: msgspec.json.Decoder[Body], body: bytes) -> Body:
    """What the body says. Refuses: `request_invalid`."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        pointer, code, detail = _problem(str(error))
        raise refused(pointer, code=code, detail=detail) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refused("", code="malformed", detail="Must be JSON.") from error


def refused(pointer: str, *, code: str, detail: str) -> Refusal:
    """The refusal of a body for one problem."""
    refusal = request_invalid()
    refusal.problems = (FieldProblem(pointer, code, detail),)
    return refusal


def _problem(message: str) -> tuple[str, str, str]:
    match = _PLACE.match(message)
    what, path = (match["what"], match["path"] or "") if match else (message, "")
    pointer = "".join(
        "/" + (name or index).replace("~", "~0").replace("/", "~1")
        for name, index in _STEP.findall(path)
        if index != "..."
    )
    code = next((code for part, code in _CODES if part in what), "malformed")
    field = _FIELD.search(what)
    if field and code in {"required", "unknown_field"}:
        pointer += "/" + field[1].replace("~", "~0").replace("/", "~1")
    return pointer, code, what if what.endswith(".") else f"{what}."
