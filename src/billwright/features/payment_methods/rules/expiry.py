"""When is a payer told that a method ends?"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

ANNOUNCED_BEFORE = timedelta(days=30)


def last_announced(as_of: datetime) -> date:
    """The latest end of a method that is announced by then."""
    return as_of.astimezone(UTC).date() + ANNOUNCED_BEFORE


def announced_from(expires_on: date) -> datetime:
    """When an end is first announced: as the UTC day thirty days before it begins."""
    return datetime.combine(expires_on - ANNOUNCED_BEFORE, time(), UTC)
