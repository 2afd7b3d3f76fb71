"""How does the manager API say no?

`{statusCode, message, error}` for every status, with the exceptions that clients know: a problem with
fields lists its messages, too many requests and bugs have no `error`. What clients compare to the letter
stands in the tables below, so that it stays what it is when a refusal is worded better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from billwright.kernel.refusal import Category, FieldProblem, Refusal, RefusalCode
from billwright.surfaces.web.openapi import ErrorForm
from billwright.surfaces.web.validation import problems_in_body, problems_in_parameters

STATUS_OF: Mapping[Category, int] = {
    Category.INVALID: 400,
    Category.UNAUTHENTICATED: 401,
    Category.FORBIDDEN: 403,
    Category.NOT_FOUND: 404,
    Category.CONFLICT: 400,
    Category.STALE: 409,
    Category.PAYMENT_REQUIRED: 400,
    Category.LIMITED: 429,
    Category.UNAVAILABLE: 503,
}
ERROR_FORM = ErrorForm(
    "ErrorResponse",
    {
        "type": "object",
        "required": ["message"],
        "properties": {
            "statusCode": {"type": "integer"},
            "message": {
                "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
                "description": "One text per problem when fields are wrong.",
            },
            "error": {"type": "string", "description": "The name of the status."},
            "code": {"type": "string"},
        },
    },
    "application/json",
)
_TOO_MANY = "Too many requests, please try again later."
_FAILED = {"statusCode": 500, "message": "Internal server error"}
# Outside the body a value is converted by itself, and its first problem is the answer.
_CONVERSIONS = {
    "uuid_parsing": "Validation failed (uuid v 4 is expected)",
    "uuid_version": "Validation failed (uuid v 4 is expected)",
    "int_parsing": "Validation failed (numeric string is expected)",
}
_MOST_MESSAGES = 100

# Where the contract does not go by the kind of the no.
_STATUS_BY_CODE: Mapping[str, int] = {
    "admin_exists": 409,
    "email_taken": 409,
    "last_admin": 409,
}
# The console signs out on the first four, and on no other.
_MESSAGE_BY_CODE: Mapping[str, str] = {
    "session_missing": "Missing or invalid authorization token",
    "session_invalid": "Invalid or expired token",
    "session_over": "Session is no longer valid.",
    "user_locked": "This account is locked. Please contact an administrator.",
    "sign_in_failed": "Invalid email or password",
    "token_invalid": "Invalid token",
    "signup_disabled": "Signup is disabled",
    "role_missing": "Forbidden resource",
    "admin_needed": "Admin access required",
    "tenant_denied": "Access denied",
    "user_needed": "User not authenticated",
}
# What has another form than all the rest.
_BODY_BY_CODE: Mapping[str, Mapping[str, str]] = {
    "tenant_not_served": {"message": "Invalid or unknown tenant"},
    "email_not_confirmed": {
        "message": "Email not confirmed. Please confirm your email before logging in.",
        "code": "EMAIL_NOT_CONFIRMED",
    },
}


def install_error_handlers(app: FastAPI) -> None:
    """Answer every refusal, wrong request, unknown route and bug of `app` in the manager's form."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _declined)
    app.add_exception_handler(Exception, _failed)


def error_response(
    status: int, message: str | Sequence[str], *, headers: Mapping[str, str] | None = None
) -> Response:
    """The standard body for a status."""
    body = {"statusCode": status, "message": message, "error": HTTPStatus(status).phrase}
    return JSONResponse(body, status, headers=headers)


def status_of(refusal: Refusal | RefusalCode) -> int:
    """The status of the answer to a refusal."""
    return _STATUS_BY_CODE.get(refusal.code, STATUS_OF[refusal.category])


def refusal_response(refusal: Refusal) -> Response:
    """What a refusal is answered with."""
    status = status_of(refusal)
    if (body := _BODY_BY_CODE.get(refusal.code)) is not None:
        return JSONResponse(body, status)
    if refusal.category is Category.LIMITED:
        seconds = str(refusal.facts.get("retry_after_seconds", 1))
        return _too_many(headers={"Retry-After": seconds})
    if refusal.category is Category.INVALID and refusal.problems:
        return error_response(status, [problem.detail for problem in refusal.problems])
    return error_response(status, _MESSAGE_BY_CODE.get(refusal.code, refusal.detail))


async def _refused(_request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)  # noqa: S101 - the table of handlers says so
    return refusal_response(refusal)


async def _malformed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    problems = error.errors()[:_MOST_MESSAGES]
    for problem in problems:
        if problem["type"] == "json_invalid":
            return error_response(
                400, f"{problem['ctx']['error']} in JSON at position {problem['loc'][-1]}"
            )
        if problem["loc"][0] in {"path", "query"} and problem["type"] in _CONVERSIONS:
            return error_response(400, _CONVERSIONS[problem["type"]])
    in_body = [_message(problem) for problem in problems_in_body(problems, error.body)]
    elsewhere = [f"{p['parameter']}: {p['detail']}" for p in problems_in_parameters(problems)]
    return error_response(400, in_body + elsewhere)


async def _declined(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code in {404, 405} and error.detail == HTTPStatus(error.status_code).phrase:
        # No such address with that method, which the contract does not tell apart.
        return error_response(404, f"Cannot {request.method} {request.url.path}")
    if error.status_code == 429:
        return _too_many(headers=error.headers)
    return error_response(error.status_code, error.detail, headers=error.headers)


async def _failed(_request: Request, _error: Exception) -> Response:
    """A bug: the log has the traceback under the correlation id, the answer has nothing."""
    return JSONResponse(_FAILED, 500)


def _too_many(*, headers: Mapping[str, str] | None) -> Response:
    return JSONResponse({"statusCode": 429, "message": _TOO_MANY}, 429, headers=headers)


def _message(problem: FieldProblem) -> str:
    """The field by its dotted path and what is wrong with it; never its value."""
    name = problem.pointer.removeprefix("/").replace("/", ".")
    if problem.code == "unknown_field":
        return f"property {name} should not exist"
    return f"{name}: {problem.detail}" if name else problem.detail
