"""When is a message tried again that was not accepted?"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=6)
# One minute, doubled up to six hours: the pauses after 20 attempts add up to three days.
_MOST_ATTEMPTS = 20


def next_attempt_at(request_id: UUID, *, attempts: int, now: datetime) -> datetime | None:
    """The next attempt after `attempts` have failed; none when it is time to give up.

    The pause is up to a quarter shorter or longer, by the request's id, so that messages that failed
    together do not come back together.
    """
    if attempts >= _MOST_ATTEMPTS:
        return None
    pause = min(_FIRST_PAUSE * (1 << attempts - 1), _LONGEST_PAUSE)
    return now + pause * (750 + request_id.int % 501) // 1000
