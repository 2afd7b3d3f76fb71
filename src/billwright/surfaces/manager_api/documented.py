"""What does the document say about the noes of a route?

Each status lists what the route may refuse, as the refusals declare it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from billwright.features.identity.errors import (
    role_missing,
    session_invalid,
    session_missing,
    session_not_interactive,
    session_over,
    token_scope_missing,
    user_locked,
)
from billwright.kernel.refusal import RefusalCode
from billwright.runtime.db.errors import busy, idempotency_key_in_use, idempotency_key_reused
from billwright.surfaces.manager_api.refusals import status_of
from billwright.surfaces.web.errors import idempotency_key_invalid, request_invalid

Responses = dict[int | str, dict[str, Any]]

_SIGNED_IN = (session_missing, session_invalid, session_over, user_locked)


def of_anybody(*codes: RefusalCode) -> Responses:
    """The refusals of a route that needs no credential."""
    return _described(request_invalid, *codes)


def of_signed_in(*codes: RefusalCode) -> Responses:
    """The refusals of a route for people who signed in, and for nobody's program."""
    return _described(request_invalid, *_SIGNED_IN, session_not_interactive, *codes)


def of_signed_in_repeating(*codes: RefusalCode) -> Responses:
    """The same of a route that takes an `Idempotency-Key`."""
    return of_signed_in(
        idempotency_key_invalid, idempotency_key_reused, idempotency_key_in_use, busy, *codes
    )


def of_admins(*codes: RefusalCode) -> Responses:
    """The refusals of a route for administrators."""
    return _described(request_invalid, *_SIGNED_IN, role_missing, token_scope_missing, *codes)


def _described(*codes: RefusalCode) -> Responses:
    by_status: dict[int | str, list[str]] = defaultdict(list)
    for code in dict.fromkeys(codes):
        by_status[status_of(code)].append(f"- {code.template}")
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}}
    return {
        status: {"description": "\n".join(lines), "content": content}
        for status, lines in sorted(by_status.items(), key=lambda entry: str(entry[0]))
    }
