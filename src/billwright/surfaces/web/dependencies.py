"""Are the parts there that this process depends on?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from time import monotonic
from typing import Literal, TypeAlias

import structlog

from billwright.runtime.db.database import Database
from billwright.runtime.queue.state import QueueState, queue_state

State: TypeAlias = Literal["healthy", "degraded", "unknown"]

UNKNOWN: Mapping[str, State] = {"database": "unknown", "queue": "unknown", "worker": "unknown"}
_AWAY: Mapping[str, State] = {**UNKNOWN, "database": "degraded"}

_KEPT_SECONDS = 1
_LONGEST_WAIT_SECONDS = 0.25
_LONGEST_LOOK_SECONDS = 2
_LATE = timedelta(minutes=5)
# Something is due every minute.
_SILENT = timedelta(minutes=3)

_log = structlog.get_logger(__name__)


class Dependencies:
    """Looks at them when somebody asks, at most once a second however many ask."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: Mapping[str, State] = UNKNOWN
        self._looked_at = float("-inf")
        self._look: asyncio.Task[None] | None = None

    async def states(self) -> Mapping[str, State]:
        """The state of each by its name, as it was known at most a quarter of a second after the asking.

        While a look takes longer, what it will find is not known yet and the last answer stands.
        """
        if self._look is None and monotonic() - self._looked_at >= _KEPT_SECONDS:
            self._look = asyncio.create_task(self._look_around())
        if self._look is not None:
            await asyncio.wait({self._look}, timeout=_LONGEST_WAIT_SECONDS)
        return self._known

    async def _look_around(self) -> None:
        now = self._database.clock.now()
        try:
            async with asyncio.timeout(_LONGEST_LOOK_SECONDS):
                self._known = _judged(await queue_state(self._database, at=now), now=now)
        except Exception as error:  # noqa: BLE001 - whatever it is, the database does not answer
            if self._known != _AWAY:
                _log.warning("the database does not answer", reason=type(error).__name__)
            self._known = _AWAY
        finally:
            self._looked_at, self._look = monotonic(), None


def _judged(queue: QueueState, *, now: datetime) -> Mapping[str, State]:
    is_late = queue.due_since is not None and now - queue.due_since > _LATE
    seen = queue.worker_seen_at
    worker: State = "unknown" if seen is None else "degraded" if now - seen > _SILENT else "healthy"
    return {"database": "healthy", "queue": "degraded" if is_late else "healthy", "worker": worker}
