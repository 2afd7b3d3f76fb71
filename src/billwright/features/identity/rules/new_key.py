"""May a key be created like this?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from billwright.features.identity.errors import (
    api_key_expires_in_past,
    api_key_name_missing,
    scope_unknown,
)
from billwright.features.identity.model import SCOPES


def check_new_key(
    *, name: str, scopes: Iterable[str], expires_at: datetime | None, now: datetime
) -> None:
    """Refuses: `api_key_name_missing`, `scope_unknown`, `api_key_expires_in_past`."""
    check_name(name)
    for scope in scopes:
        if scope not in SCOPES:
            raise scope_unknown(pointer="/scopes", scope=scope, scopes=", ".join(sorted(SCOPES)))
    if expires_at is not None and expires_at <= now:
        raise api_key_expires_in_past(pointer="/expires_at")


def check_name(name: str) -> None:
    """Refuses: `api_key_name_missing`."""
    if not name.strip():
        raise api_key_name_missing(pointer="/name")
