"""In which language does a client want to be written to?"""

from __future__ import annotations

import re
from decimal import Decimal

from billwright.features.notifications.messages import LANGUAGES

_DEFAULT = "en"
_MOST = 20
_CHOICE = re.compile(
    r"(?P<tag>[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3})(?:\s*;\s*q=(?P<weight>[01](?:\.[0-9]{0,3})?))?",
    re.ASCII,
)


def preferred_locale(accept_language: str | None) -> str:
    """The best choice of an `Accept-Language` (RFC 9110) that there are texts in; English without one."""
    best, best_weight = _DEFAULT, Decimal(0)
    for part in (accept_language or "").split(",")[:_MOST]:
        choice = _CHOICE.fullmatch(part.strip())
        if choice is None or choice["tag"].partition("-")[0].lower() not in LANGUAGES:
            continue
        weight = Decimal(choice["weight"] or 1)
        if weight > best_weight:
            best, best_weight = choice["tag"], weight
    return best
