"""When is an event sent again that an endpoint has not accepted?"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)

# The pauses of the Standard Webhooks example, which add up to a little more than three days.
_PAUSES = (
    _MINUTE,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
_LONGEST_WISH = 24 * _HOUR


def next_attempt_at(
    event_id: UUID, *, attempts: int, now: datetime, wished_seconds: int | None = None
) -> datetime | None:
    """The next attempt after `attempts` have failed; none when it is time to give up.

    The pause is up to a tenth shorter or longer, by the event's id, so that what failed together does
    not come back together. It is not shorter than the endpoint wished (`Retry-After`), up to a day.
    """
    if attempts > len(_PAUSES):
        return None
    pause = _PAUSES[attempts - 1] * (900 + event_id.int % 201) // 1000
    return now + max(pause, wished_pause(wished_seconds))


def wished_pause(seconds: int | None) -> timedelta:
    """How long an endpoint asks to be left alone, as far as that is heeded."""
    return min(timedelta(seconds=max(seconds or 0, 0)), _LONGEST_WISH)
