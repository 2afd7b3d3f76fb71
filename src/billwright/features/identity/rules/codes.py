"""What is a mailed code good for, and for how long?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from billwright.features.identity.model import CodePurpose, OneTimeCode

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
LENGTH = 6
ATTEMPTS = 5
_LIFE_OF_RESET = timedelta(hours=1)
_RENEWED_EVERY = timedelta(hours=1)


def expiry_of(purpose: CodePurpose, *, now: datetime) -> datetime | None:
    """When a code that is mailed now ends; an address may be confirmed at any time."""
    return now + _LIFE_OF_RESET if purpose is CodePurpose.RESET_PASSWORD else None


def is_open(code: OneTimeCode, *, now: datetime) -> bool:
    """Whether the code can still be used."""
    return code.attempts_left > 0 and (code.expires_at is None or now < code.expires_at)


def after_wrong_attempt(code: OneTimeCode, *, now: datetime) -> OneTimeCode:
    """The code with an attempt less. Without any left, another one is to be mailed if `renewed_at` is
    now: since nobody can ask to confirm an address again, and at most once an hour, since anybody can
    use the attempts up.
    """
    tried = replace(code, attempts_left=max(0, code.attempts_left - 1))
    is_due = code.renewed_at is None or code.renewed_at + _RENEWED_EVERY <= now
    if tried.attempts_left == 0 and is_due and code.purpose is CodePurpose.CONFIRM_EMAIL:
        return replace(tried, renewed_at=now)
    return tried
