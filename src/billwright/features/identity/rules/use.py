"""Is it worth writing down that a key was used?"""

from __future__ import annotations

from datetime import datetime, timedelta

NOTED_EVERY = timedelta(hours=1)
TOKENS_NOTED_EVERY = timedelta(minutes=5)


def is_worth_noting(
    now: datetime, *, last_used_at: datetime | None, every: timedelta = NOTED_EVERY
) -> bool:
    """Once in a while is: a row that is changed by each of many uses a second costs more than it
    tells.
    """
    return last_used_at is None or last_used_at + every <= now
