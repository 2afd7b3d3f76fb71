"""Is money neither lost nor taken twice, whatever fails, dies, comes twice or comes late?

HISTORIES=long pytest -n auto tests/faults/payments     thousands instead of a few
HISTORIES_SEED=7 ...                                    others than the usual ones
HISTORY=7/3/12 pytest tests/faults/payments             one of them, as a failure names it
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from random import Random

import pytest
import pytest_asyncio

from billwright.kernel.ids import new_id
from billwright.runtime.clock import FixedClock
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import Registry
from tests.conftest import NOON
from tests.faults.payments.books import check_money
from tests.faults.payments.crashing import CrashingDatabase
from tests.faults.payments.fates import Fate, Fault
from tests.faults.payments.world import Doing, Step, a_world
from tests.histories.books import check_documents
from tests.histories.profile import LONG, SEED

_CHUNKS, _IN_CHUNK = (40, 125) if LONG else (4, 6)
_OFTEN = (Doing.WAIT, Doing.SWEEP, Doing.DELIVER, Doing.JOBS)
_DOINGS = (*Doing, *_OFTEN, *_OFTEN)


def steps_of(name: str) -> list[Step]:
    """The history of that name, always the same."""
    random = Random(name)
    return [
        Step(
            doing=random.choice(_DOINGS),
            number=random.randrange(8),
            faults=tuple(random.choice((None, *Fault)) for _ in range(random.randrange(4))),
            fates=tuple(random.choice(tuple(Fate)) for _ in range(random.randrange(3))),
            dies_after=random.randrange(60) if random.random() < 0.4 else None,
        )
        for _ in range(random.randrange(3, 15))
    ]


def names_of(chunk: int) -> Iterator[str]:
    if one := os.environ.get("HISTORY"):
        yield from [one] if chunk == 0 else []
        return
    for number in range(_IN_CHUNK):
        yield f"{SEED}/{chunk}/{number}"


@pytest_asyncio.fixture
async def mortal(
    migrated_database: str, clock: FixedClock, registry: Registry
) -> AsyncIterator[CrashingDatabase]:
    """The database of processes that die."""
    database = await CrashingDatabase.connect(
        migrated_database, outbox=QueueOutbox(registry), size=5, clock=clock
    )
    database.crash_at_commits_too()
    try:
        yield database
    finally:
        await database.close()


@pytest.mark.timeout(3600 if LONG else 180)
@pytest.mark.parametrize("chunk", range(_CHUNKS))
async def test_the_money_that_moved_is_the_money_that_is_booked(chunk, mortal, clock, registry):
    for name in names_of(chunk):
        steps = steps_of(name)
        try:
            await live(steps, mortal, clock=clock, registry=registry)
        except Exception as error:
            told = "\n".join(map(str, steps))
            raise AssertionError(f"HISTORY={name}\n{told}") from error


async def live(
    steps: list[Step], database: CrashingDatabase, *, clock: FixedClock, registry: Registry
) -> None:
    """A history, its end, and whether the books are right then."""
    clock.move_to(NOON)
    world = await a_world(database, clock, registry, code=f"tenant-{new_id()}")
    for step in steps:
        await world.take(step)
    await world.settle()
    await check_money(world)
    await check_documents(world.tenant)
