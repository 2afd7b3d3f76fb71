"""What does a test of the queue run? Two small jobs, a reaction and a sweep that note what they did."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from billwright.kernel.event import Event
from billwright.kernel.ids import new_id
from billwright.runtime.clock import SystemClock
from billwright.runtime.db.database import Database
from billwright.runtime.db.tx import Tx
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import (
    Consequence,
    Job,
    Reaction,
    Recorded,
    Registry,
    Sweep,
    Work,
)
from billwright.runtime.queue.worker import Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class BellRung(Event):
    type: ClassVar[str] = "bell.rung"
    subject_type: ClassVar[str] = "bell"

    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorOpened(Event):
    type: ClassVar[str] = "door.opened"
    subject_type: ClassVar[str] = "door"


def rung(times: int = 1) -> BellRung:
    return BellRung(subject_id=new_id(), account_id=None, times=times)


@dataclass(slots=True)
class Workshop:
    """Work that writes a party per effect, and fails as often as it is told to."""

    failures: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    hold: asyncio.Event = field(default_factory=asyncio.Event)

    def registry(self) -> Registry:
        return Registry(
            consequences=(
                Consequence("open", BellRung, self.open),
                Consequence("greet", DoorOpened, self.greet),
            ),
            reactions=(Reaction("echo", BellRung, self.echo),),
            jobs=(Job("note", self.note), Job("wait", self.wait)),
            # A time that no test meets: they ask for the sweep themselves.
            sweeps=(Sweep("tidy_up", "0 0 1 1 *", self.tidy_up),),
        )

    async def echo(self, tx: Tx, recorded: Sequence[Recorded]) -> None:
        self._run("echo")
        await write(tx, *("echo" for one in recorded for _ in range(one.event.times)))
        self._fail("echo")

    async def open(self, tx: Tx, events: Sequence[BellRung]) -> None:
        """Whoever rings more than ten times is let in."""
        self._run("open")
        for event in events:
            if event.times > 10:
                tx.publish(DoorOpened(subject_id=event.subject_id, account_id=None))

    async def greet(self, tx: Tx, events: Sequence[DoorOpened]) -> None:
        self._run("greet")
        self._fail("greet")
        await write(tx, *("greeted" for _ in events))

    async def note(self, work: Work, payload: Any) -> None:
        self._run("note")
        async with work.tx() as tx:
            await write(tx, f"note {payload['text']}")
        self._fail("note")

    async def wait(self, work: Work, _payload: Any) -> None:
        self._run("wait")
        await self.hold.wait()
        async with work.tx() as tx:
            await write(tx, "waited")

    async def tidy_up(self, work: Work) -> int:
        self._run("tidy_up")
        self._fail(f"tidy_up {work.tenant_id}")
        async with work.tx() as tx:
            await write(tx, "tidied")
        return 1

    def _run(self, name: str) -> None:
        self.runs[name] += 1

    def _fail(self, name: str) -> None:
        if self.failures[name] > 0:
            self.failures[name] -= 1
            raise ValueError(f"{name} was told to fail")


async def write(tx: Tx, *texts: str) -> None:
    await tx.insert("party", [{"id": new_id(), "data": text} for text in texts])


async def written(tenant) -> Counter[str]:
    """What has taken effect for a tenant."""
    async with tenant.tx() as tx:
        rows = await tx.fetch("select data #>> '{}' as text from party")
    return Counter(row["text"] for row in rows)


async def jobs_left(tenant) -> list[str]:
    async with tenant.tx() as tx:
        rows = await tx.fetch("select status::text from queue.pgqueuer order by id")
    return [row["status"] for row in rows]


@asynccontextmanager
async def database_for(dsn: str, workshop: Workshop) -> AsyncIterator[Database]:
    outbox = QueueOutbox(workshop.registry())
    database = await Database.connect(dsn, outbox=outbox, size=5, clock=SystemClock())
    try:
        yield database
    finally:
        await asyncio.wait_for(database.close(), timeout=10)


def a_worker(database: Database, workshop: Workshop, *, dsn: str) -> Worker:
    return Worker(
        database,
        workshop.registry(),
        dsn=dsn,
        providers={},
        heartbeat=timedelta(seconds=2),
        poll=timedelta(seconds=0.2),
    )


@asynccontextmanager
async def working(*workers: Worker) -> AsyncIterator[None]:
    """Workers at work; they are stopped at the end, and must stop."""
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
        async with asyncio.timeout(10):
            await asyncio.gather(*tasks)


async def eventually(reached: Callable[[], Awaitable[bool]], *, seconds: float = 15) -> None:
    """Wait until a condition holds; a timeout fails the test."""
    deadline = time.monotonic() + seconds
    while not await reached():
        assert time.monotonic() < deadline, "it did not come to that in time"
        await asyncio.sleep(0.05)
