"""How does a test clock go through time?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from billwright.features.accounts.model import TestClock, TestClockState
from billwright.features.accounts.operations.step_test_clock import (
    finish_test_clock,
    step_test_clock,
)
from billwright.features.accounts.sql.reads import test_clock_by_id
from billwright.kernel.refusal import Category, Refusal
from billwright.runtime.queue.registry import Sweep, Work

_PAUSES_SECONDS = (0.1, 0.5, 2.0)


class ClockIsStuck(Exception):  # noqa: N818 - it names the state
    """Something stays due although it was worked on: advancing further would never end."""


async def advance_test_clock(work: Work, payload: Any) -> None:
    """Move a clock to its target by way of every instant at which something is due.

    At each of them the real sweeps run at the clock's time, and once more when it has arrived, so that
    a year in one call brings what a year would have brought. A worker that dies on the way leaves the
    clock where it was, and the repeated job goes on from there.
    """
    clock_id = UUID(payload["test_clock_id"])
    async with work.tx() as tx:
        clock = await test_clock_by_id(tx, clock_id)
    if clock.state is not TestClockState.ADVANCING or clock.target is None:
        return
    failure = None
    try:
        await _advance(work, clock, target=clock.target)
    except Refusal as refusal:
        if refusal.category is Category.UNAVAILABLE:
            raise  # passing: the queue repeats the job
        failure = refusal.detail
    except ClockIsStuck as stuck:
        failure = str(stuck)
    except Exception:
        async with work.tx() as tx:
            await finish_test_clock(tx, clock_id, failure="An unexpected error; see the log.")
        raise
    async with work.tx() as tx:
        await finish_test_clock(tx, clock_id, failure=failure)


async def _advance(work: Work, clock: TestClock, *, target: datetime) -> None:
    timed = [sweep for sweep in work.sweeps if sweep.next_due is not None]
    now = clock.now
    while (due := await _next_due(work, clock.id, sweeps=timed)) is not None and due <= target:
        now = max(now, due)
        if not await _work_off(await _step(work, clock.id, now=now), sweeps=timed):
            raise ClockIsStuck(f"Something has been due since {due.isoformat()} and stays so.")
    arrived = await _step(work, clock.id, now=target)
    for sweep in timed:
        await sweep.run(arrived)


async def _step(work: Work, clock_id: UUID, *, now: datetime) -> Work:
    """Let the clock stand at `now`; returns the work at that time."""
    async with work.tx() as tx:
        await step_test_clock(tx, clock_id, now=now)
    return replace(work, as_of=now, test_clock_id=clock_id)


async def _work_off(work: Work, *, sweeps: list[Sweep]) -> bool:
    """Whether the sweeps could do anything. They pass over an account that a command holds, so that
    nothing done may only mean: not yet.
    """
    for pause_seconds in (*_PAUSES_SECONDS, None):
        if any([await sweep.run(work) for sweep in sweeps]):
            return True
        if pause_seconds is not None:
            await asyncio.sleep(pause_seconds)
    return False


async def _next_due(work: Work, clock_id: UUID, *, sweeps: list[Sweep]) -> datetime | None:
    async with work.tx() as tx:
        due = [await sweep.next_due(tx, clock_id) for sweep in sweeps if sweep.next_due]
    return min((instant for instant in due if instant is not None), default=None)
