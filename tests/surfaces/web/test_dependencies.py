"""Is it known what is away, and does nobody wait for it?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, cast

import pytest

from billwright.runtime.clock import FixedClock
from billwright.runtime.db.database import Database
from billwright.surfaces.web.dependencies import Dependencies

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


class Answering:
    """Stands in for a database: answers one row after a while, or fails."""

    def __init__(self, *, after: float = 0, failure: Exception | None = None, **row: Any) -> None:
        self.clock = FixedClock(NOW)
        self.row = {"due_since": None, "worker_seen_at": None, **row}
        self.after = after
        self.failure = failure
        self.asked = 0

    async def unscoped(self, _sql: str, *_values: object) -> list[dict[str, Any]]:
        self.asked += 1
        await asyncio.sleep(self.after)
        if self.failure is not None:
            raise self.failure
        return [self.row]


def watching(database: Answering) -> Dependencies:
    return Dependencies(cast("Database", database))


@pytest.mark.parametrize(
    ("due", "seen", "queue", "worker"),
    [
        (None, None, "healthy", "unknown"),
        (timedelta(minutes=4), timedelta(minutes=2), "healthy", "healthy"),
        (timedelta(minutes=6), timedelta(minutes=4), "degraded", "degraded"),
    ],
)
async def test_what_is_late_or_silent_is_degraded(due, seen, queue, worker):
    ago = {
        "due_since": None if due is None else NOW - due,
        "worker_seen_at": None if seen is None else NOW - seen,
    }
    states = await watching(Answering(**ago)).states()
    assert states == {"database": "healthy", "queue": queue, "worker": worker}


async def test_many_who_ask_at_once_are_answered_by_one_look():
    database = Answering(after=0.01)
    dependencies = watching(database)
    answers = await asyncio.gather(*(dependencies.states() for _ in range(50)))
    assert {answer["database"] for answer in answers} == {"healthy"}
    await dependencies.states()
    assert database.asked == 1


async def test_a_database_that_fails_is_away_and_comes_back(monkeypatch: pytest.MonkeyPatch):
    database = Answering(failure=OSError("connection refused"))
    dependencies = watching(database)
    assert await dependencies.states() == {
        "database": "degraded",
        "queue": "unknown",
        "worker": "unknown",
    }
    database.failure = None
    monkeypatch.setattr("billwright.surfaces.web.dependencies._KEPT_SECONDS", 0)
    assert (await dependencies.states())["database"] == "healthy"


async def test_nobody_waits_for_a_database_that_is_silent(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("billwright.surfaces.web.dependencies._LONGEST_LOOK_SECONDS", 1)
    dependencies = watching(Answering(after=60))
    started = monotonic()
    first = await dependencies.states()
    assert monotonic() - started < 0.9
    assert first["database"] == "unknown"
    await asyncio.sleep(1)
    assert (await dependencies.states())["database"] == "degraded"
