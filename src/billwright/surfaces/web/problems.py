"""How is a no answered? As RFC 9457 `application/problem+json`, one shape for every status.

`type` is a relative reference, so that it names the same page wherever the product is deployed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from billwright.kernel.refusal import Category, Refusal
from billwright.runtime.telemetry.context import request_id
from billwright.surfaces.web.errors import request_invalid, text_unstorable
from billwright.surfaces.web.validation import problems_in_body, problems_in_parameters

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "/api/billing/problems/"

STATUS_OF: Mapping[Category, int] = {
    Category.INVALID: 422,
    Category.UNAUTHENTICATED: 401,
    Category.FORBIDDEN: 403,
    Category.NOT_FOUND: 404,
    Category.CONFLICT: 409,
    Category.STALE: 412,
    Category.PAYMENT_REQUIRED: 402,
    Category.LIMITED: 429,
    Category.UNAVAILABLE: 503,
}
_CODE_OF_STATUS = {
    400: "bad_request",
    404: "route_not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}
PROTOCOL_CODES: Mapping[str, tuple[int, str]] = {
    "bad_request": (400, "The request is not understood."),
    "malformed_json": (400, "The body is not JSON."),
    "route_not_found": (404, "Nothing has this address."),
    "method_not_allowed": (405, "What has this address does not answer this method."),
    "body_too_large": (413, "The body is larger than any that is expected here."),
    "unsupported_media_type": (415, "The body must be sent as application/json."),
    "internal_error": (500, "A bug; the log has it under the request id."),
}
"""The codes of HTTP itself, which no refusal declares: their status and what they say."""
# An answer must not be larger than the request that asks for it.
_MOST_PROBLEMS = 100
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every refusal, malformed request, unknown route and bug of `app` as a problem."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, declined)
    app.add_exception_handler(Exception, _failed)
    app.add_middleware(_StorableAddress)


def refusal_response(refusal: Refusal, *, parameters: Sequence[Mapping[str, str]] = ()) -> Response:
    """The problem for a refusal; a fact `retry_after_seconds` becomes the header too."""
    members: dict[str, object] = {}
    problems: list[object] = [
        {"pointer": problem.pointer, "code": problem.code, "detail": problem.detail}
        for problem in refusal.problems
    ]
    if refusal.category is Category.INVALID:
        members["errors"] = [*problems, *parameters]
    if refusal.facts:
        members["facts"] = refusal.facts
    return problem_response(
        STATUS_OF[refusal.category],
        code=refusal.code,
        detail=refusal.detail,
        headers=_headers(refusal),
        members=members,
    )


def problem_response(
    status: int,
    *,
    code: str,
    detail: str | None = None,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, object] | None = None,
) -> Response:
    """A problem that no refusal stands for, such as an unknown route."""
    document: dict[str, object] = {
        "type": TYPE_PREFIX + code,
        "title": title_of(code),
        "status": status,
    }
    if detail is not None:
        document["detail"] = detail
    document["code"] = code
    document["request_id"] = request_id()
    if members:
        document |= members
    content = msgspec.json.encode(document, enc_hook=str)
    return Response(content, status, dict(headers or {}), media_type=MEDIA_TYPE)


def title_of(code: str) -> str:
    """The code in words."""
    return code.replace("_", " ").capitalize()


def _headers(refusal: Refusal) -> dict[str, str]:
    seconds = refusal.facts.get("retry_after_seconds")
    if refusal.category is Category.UNAUTHENTICATED:
        return {"WWW-Authenticate": "Bearer"}
    if refusal.category is Category.LIMITED:
        return {"Retry-After": str(seconds or 1)}
    if seconds is not None:
        return {"Retry-After": str(seconds)}
    return {}


class _StorableAddress:
    """Refuses U+0000 in the path and the query; request models do so for the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and ("\x00" in scope["path"] or b"%00" in scope["query_string"]):
            await refusal_response(text_unstorable())(scope, receive, send)
        else:
            await self._app(scope, receive, send)


async def _refused(_request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)  # noqa: S101 - the table of handlers says so
    return refusal_response(refusal)


async def _malformed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    errors = error.errors()[:_MOST_PROBLEMS]
    if errors and errors[0]["type"] == "json_invalid":
        reason, position = errors[0]["ctx"]["error"], errors[0]["loc"][-1]
        detail = f"The body is not JSON: {reason} at character {position}."
        return problem_response(400, code="malformed_json", detail=detail)
    if isinstance(error.body, bytes):
        detail = "The body must be sent as application/json."
        return problem_response(415, code=_CODE_OF_STATUS[415], detail=detail)
    refusal = request_invalid()
    refusal.problems = tuple(problems_in_body(errors, error.body))
    return refusal_response(refusal, parameters=problems_in_parameters(errors))


async def declined(request: Request, error: Exception) -> Response:
    """The problem for what the framework or a limit of ours answers by itself."""
    assert isinstance(error, HTTPException)  # noqa: S101
    status = error.status_code
    headers = dict(error.headers or {})
    if status == 405:
        headers["Allow"] = ", ".join(_allowed_methods(request))
    code = _CODE_OF_STATUS.get(status) or HTTPStatus(status).name.lower()
    detail = error.detail if error.detail != HTTPStatus(status).phrase else None
    return problem_response(status, code=code, detail=detail, headers=headers)


async def _failed(_request: Request, _error: Exception) -> Response:
    """A bug: the log has the traceback under the request id, the answer has nothing else."""
    return problem_response(500, code="internal_error")


def _allowed_methods(request: Request) -> list[str]:
    """All methods of the path; the framework names only those of the first route that has it."""
    routes: Sequence[Any] = request.app.routes
    return [
        method
        for method in _METHODS
        if any(
            route.matches({**request.scope, "method": method, "fastapi": {}})[0] is Match.FULL
            for route in routes
        )
    ]
