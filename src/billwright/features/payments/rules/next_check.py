"""When is the outcome of an attempt looked for?"""

from __future__ import annotations

from datetime import datetime, timedelta

# Soon, then less and less often, then daily to day 7.
_AFTER = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
    *(timedelta(days=day) for day in range(1, 8)),
)


def next_check_at(created_at: datetime, *, now: datetime) -> datetime | None:
    """The first check of a live attempt after `now`; none when only a person can tell from then on."""
    return next((at for after in _AFTER if (at := created_at + after) > now), None)
