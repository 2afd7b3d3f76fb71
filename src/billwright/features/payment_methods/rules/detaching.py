"""When is a provider asked to forget a method that was removed, and for how long?"""

from __future__ import annotations

from datetime import datetime, timedelta

_AFTER = (
    timedelta(minutes=5),
    timedelta(hours=1),
    timedelta(hours=6),
    *(timedelta(days=day) for day in range(1, 8)),
)
_DAILY = timedelta(days=1)


def next_try_at(removed_at: datetime, *, now: datetime) -> datetime:
    """When it is looked at again after `now`: often at first, in the end daily."""
    return next((at for after in _AFTER if (at := removed_at + after) > now), now + _DAILY)


def is_given_up(removed_at: datetime, *, now: datetime) -> bool:
    """Whether a try that fails now is the last one, and a person has to do it."""
    return now - removed_at >= _AFTER[-1]
