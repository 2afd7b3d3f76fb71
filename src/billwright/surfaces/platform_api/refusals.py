"""What does the document say about the noes of a route?

Each status lists the codes that the route may refuse with, taken from their declarations.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from billwright.features.identity.errors import (
    credential_invalid,
    credential_missing,
    issuer_unavailable,
    scope_missing,
)
from billwright.kernel.refusal import RefusalCode
from billwright.runtime.db.errors import (
    busy,
    idempotency_key_in_use,
    idempotency_key_reused,
)
from billwright.surfaces.platform_api.errors import tenant_mismatch
from billwright.surfaces.web.errors import (
    cursor_invalid,
    idempotency_key_invalid,
    request_invalid,
    text_unstorable,
)
from billwright.surfaces.web.problems import MEDIA_TYPE, STATUS_OF

Responses = dict[int | str, dict[str, Any]]

_EVERYWHERE = (
    credential_missing,
    credential_invalid,
    issuer_unavailable,
    scope_missing,
    tenant_mismatch,
    request_invalid,
    text_unstorable,
)
_WRITING = (idempotency_key_invalid, idempotency_key_reused, idempotency_key_in_use, busy)


def of_anybody(*codes: RefusalCode) -> Responses:
    """The refusals of a route that needs no key."""
    return _described(request_invalid, text_unstorable, *codes)


def of_reading(*codes: RefusalCode) -> Responses:
    """The refusals of a route that reads one thing."""
    return _described(*_EVERYWHERE, *codes)


def of_listing(*codes: RefusalCode) -> Responses:
    """The refusals of a route that reads page by page."""
    return _described(*_EVERYWHERE, cursor_invalid, *codes)


def of_writing(*codes: RefusalCode) -> Responses:
    """The refusals of a route that changes something."""
    return _described(*_EVERYWHERE, *_WRITING, *codes)


def of_previewing(*codes: RefusalCode) -> Responses:
    """The refusals of a route that says what another one would do."""
    return _described(*_EVERYWHERE, busy, *codes)


def _described(*codes: RefusalCode) -> Responses:
    by_status: dict[int | str, list[str]] = defaultdict(list)
    for code in codes:
        by_status[STATUS_OF[code.category]].append(f"- `{code.code}`: {code.template}")
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": "\n".join(lines), "content": content}
        for status, lines in sorted(by_status.items(), key=lambda entry: str(entry[0]))
    }
