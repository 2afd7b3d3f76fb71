"""How often was something done lately, by the same one?

Counted from its first time until a window of time is over. In the memory of this process, or in the
database, where processes count together.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from math import ceil
from time import monotonic
from typing import NamedTuple, Protocol

from billwright.runtime.db.database import Database
from billwright.runtime.db.tx import Tx

_MOST_WINDOWS = 65_536


class Count(NamedTuple):
    """How often by now, and in how many seconds it is counted anew."""

    number: int
    seconds_left: int


class Counts(Protocol):
    """Where something is counted."""

    async def add(self, key: bytes, *, tenant: str, seconds: int) -> Count:
        """Once more; what is counted for the first time begins a window of so many seconds.

        `tenant` is the code of the tenant in which it was done.
        """


class CountsInMemory:
    """What this process alone has counted. Of more than `most`, those that began first are forgotten."""

    def __init__(self, now: Callable[[], float] = monotonic, *, most: int = _MOST_WINDOWS) -> None:
        self._now = now
        self._most = most
        # In the order in which they began.
        self._windows: dict[tuple[str, bytes], tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._windows)

    async def add(self, key: bytes, *, tenant: str, seconds: int) -> Count:
        now, whose = self._now(), (tenant, key)
        number, ends = self._windows.get(whose, (0, now))
        if ends <= now:
            self._windows.pop(whose, None)
            self._make_room(now)
            number, ends = 0, now + seconds
        self._windows[whose] = number + 1, ends
        return Count(number + 1, ceil(ends - now))

    def _make_room(self, now: float) -> None:
        while self._windows:
            first = next(iter(self._windows))
            if self._windows[first][1] > now and len(self._windows) < self._most:
                return
            del self._windows[first]


class CountsInDatabase:
    """What all processes have counted; of a tenant that is only in the settings, `otherwise` knows."""

    def __init__(self, database: Database, *, otherwise: Counts) -> None:
        self._database = database
        self._otherwise = otherwise

    async def add(self, key: bytes, *, tenant: str, seconds: int) -> Count:
        now = self._database.clock.now()
        rows = await self._database.unscoped(
            "select number, expires_at from count_once_more($1, $2, $3, $4)",
            tenant,
            key,
            now,
            now + timedelta(seconds=seconds),
        )
        if not rows:
            return await self._otherwise.add(key, tenant=tenant, seconds=seconds)
        left = (rows[0]["expires_at"] - now).total_seconds()
        return Count(rows[0]["number"], max(1, ceil(left)))


async def forget_counts(tx: Tx) -> int:
    """Delete what is counted anew for the tenant anyway; returns how many."""
    return await tx.execute(
        "delete from rate_limit_count where tenant_id = $1 and expires_at <= $2",
        tx.tenant_id,
        tx.now,
    )
