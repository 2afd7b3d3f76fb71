"""Is work done after its commit, at least once, with an effect that takes place once?"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from billwright.runtime.db.database import Database
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.reacting import react
from billwright.runtime.queue.registry import Consequence, Job, Registry
from tests.conftest import Tenant, make_tenant
from tests.runtime.queue.working import (
    BellRung,
    Workshop,
    a_worker,
    database_for,
    eventually,
    jobs_left,
    rung,
    working,
    write,
    written,
)

CHILD = Path(__file__).with_name("worker_child.py")


@pytest.fixture
def workshop() -> Workshop:
    return Workshop()


@pytest_asyncio.fixture
async def queue(migrated_database: str, workshop: Workshop) -> AsyncIterator[Database]:
    async with database_for(migrated_database, workshop) as database:
        yield database


@pytest_asyncio.fixture
async def shop(queue: Database) -> Tenant:
    return await make_tenant(queue, "shop")


@pytest.fixture
def worker(queue, workshop, migrated_database):
    return a_worker(queue, workshop, dsn=migrated_database)


async def test_a_job_runs_after_the_commit_and_a_rolled_back_one_never(shop, worker):
    async with working(worker):
        with pytest.raises(ZeroDivisionError):
            async with shop.tx() as tx:
                tx.enqueue("note", {"text": "lost"})
                raise ZeroDivisionError
        async with shop.tx() as tx:
            tx.enqueue("note", {"text": "kept"})
            await asyncio.sleep(0.4)
            assert await tx.fetch_value("select count(*) from party") == 0

        async def done() -> bool:
            return (await written(shop)).total() > 0

        await eventually(done)
        await asyncio.sleep(0.4)
    assert await written(shop) == Counter({"note kept": 1})
    assert await jobs_left(shop) == []


async def test_a_job_waits_for_its_delay(shop, worker, workshop):
    async with shop.tx() as tx:
        tx.enqueue("note", {"text": "later"}, delay=timedelta(seconds=2))
    async with working(worker):
        await asyncio.sleep(0.5)
        assert workshop.runs["note"] == 0

        async def done() -> bool:
            return workshop.runs["note"] == 1

        await eventually(done)


async def test_one_key_lets_one_job_wait(shop):
    for text in ("first", "second"):
        async with shop.tx() as tx:
            tx.enqueue("note", {"text": text}, dedupe_key="one")
    async with shop.tx() as tx:
        tx.enqueue("note", {"text": "third"}, dedupe_key="other")
        await write(tx, "beside")
    assert await jobs_left(shop) == ["queued", "queued"]
    assert await written(shop) == Counter({"beside": 1})


async def test_consequences_of_consequences_are_in_the_same_commit(shop, workshop):
    async with shop.tx() as tx:
        tx.publish(rung(11))
        tx.publish(rung(12))
        tx.publish(rung(1))
        assert await tx.fetch_value("select count(*) from party") == 0
    assert await written(shop) == Counter({"greeted": 2})
    assert workshop.runs["open"] == workshop.runs["greet"] == 1  # all events of a kind at once
    async with shop.tx() as tx:
        types = [row["type"] for row in await tx.fetch("select type from event order by id")]
    assert types == ["bell.rung"] * 3 + ["door.opened"] * 2


async def test_a_consequence_that_fails_leaves_nothing_of_its_cause(shop, workshop):
    workshop.failures["greet"] = 1
    with pytest.raises(ValueError, match="told to fail"):
        async with shop.tx() as tx:
            await write(tx, "cause")
            tx.publish(rung(11))
    assert await written(shop) == Counter()
    async with shop.tx() as tx:
        assert await tx.fetch_value("select count(*) from event") == 0


async def test_consequences_that_go_round_in_a_circle_are_a_bug(shop, workshop):
    async def ring_again(tx, events):
        tx.publish(rung())

    circle = Consequence("ring_again", BellRung, ring_again)
    outbox = QueueOutbox(Registry(consequences=(circle,)))
    with pytest.raises(RuntimeError, match="circle"):
        async with shop.tx() as tx:
            tx.publish(rung())
            await outbox(tx._connection, tx)


async def test_a_reaction_runs_with_its_event_and_only_for_events_it_is_about(shop, worker):
    async with working(worker):
        async with shop.tx() as tx:
            tx.publish(rung(2))

        async def done() -> bool:
            return (await written(shop)).total() > 0

        await eventually(done)
    assert await written(shop) == Counter({"echo": 2})


async def test_twelve_hundred_events_are_three_jobs(shop):
    async with shop.tx() as tx:
        for _ in range(1200):
            tx.publish(rung())
    assert await jobs_left(shop) == ["queued"] * 3


async def test_an_event_delivered_twice_takes_effect_once(shop, queue, workshop, worker):
    async with shop.tx() as tx:
        tx.publish(rung())
        tx.publish(rung())
    async with shop.tx() as tx:
        await tx.execute(
            """insert into queue.pgqueuer (priority, status, entrypoint, payload)
               select priority, status, entrypoint, payload from queue.pgqueuer, generate_series(1, 4)"""
        )
    other = a_worker(queue, workshop, dsn=worker._dsn)
    async with working(worker, other):

        async def done() -> bool:
            return not await jobs_left(shop)

        await eventually(done)
    assert await written(shop) == Counter({"echo": 2})
    assert workshop.runs["echo"] == 1


async def test_two_workers_at_the_same_moment_react_once(shop, queue, workshop):
    async with shop.tx() as tx:
        tx.publish(rung())
    async with shop.tx() as tx:
        event_id = await tx.fetch_value("select id from event")
    payload = {"reaction": "echo", "events": [str(event_id)]}
    await asyncio.gather(
        *(react(queue, workshop.registry(), tenant_id=shop.id, payload=payload) for _ in range(4))
    )
    assert await written(shop) == Counter({"echo": 1})


async def test_a_reaction_to_another_tenants_event_finds_nothing(shop, queue, workshop):
    stranger = await make_tenant(queue, "stranger")
    async with shop.tx() as tx:
        tx.publish(rung())
    async with shop.tx() as tx:
        event_id = await tx.fetch_value("select id from event")
    payload = {"reaction": "echo", "events": [str(event_id)]}
    with pytest.raises(Exception, match="foreign key"):
        await react(queue, workshop.registry(), tenant_id=stranger.id, payload=payload)
    assert await written(stranger) == Counter()
    await react(queue, workshop.registry(), tenant_id=shop.id, payload=payload)
    assert await written(shop) == Counter({"echo": 1})


async def test_a_failing_reaction_is_tried_again_and_leaves_nothing_of_the_failure(
    shop, worker, workshop
):
    workshop.failures["echo"] = 1
    async with shop.tx() as tx:
        tx.publish(rung())
    async with working(worker):

        async def done() -> bool:
            return not await jobs_left(shop)

        await eventually(done)
    assert workshop.runs["echo"] == 2
    assert await written(shop) == Counter({"echo": 1})


async def test_a_failing_job_is_tried_again(shop, worker, workshop):
    workshop.failures["note"] = 1
    async with shop.tx() as tx:
        tx.enqueue("note", {"text": "kept"})
    async with working(worker):

        async def done() -> bool:
            return not await jobs_left(shop)

        await eventually(done)
    assert workshop.runs["note"] == 2


async def test_a_job_that_fails_for_good_is_kept_as_failed(shop, worker, workshop):
    workshop.failures["note"] = 99
    async with shop.tx() as tx:
        tx.enqueue("note", {"text": "kept"})
    async with shop.tx() as tx:
        await tx.execute("update queue.pgqueuer set attempts = 10")
    async with working(worker):

        async def done() -> bool:
            return await jobs_left(shop) == ["failed"]

        await eventually(done)
    assert workshop.runs["note"] == 1


async def test_a_sweep_that_fails_for_one_tenant_goes_on_with_the_next(
    shop, queue, worker, workshop
):
    others = [await make_tenant(queue, code) for code in ("alpha", "zulu")]
    workshop.failures[f"tidy_up {shop.id}"] = 1
    (sweep,) = workshop.registry().sweeps
    assert await worker.sweep(sweep) == 2
    assert [await written(tenant) for tenant in (shop, *others)] == [
        Counter(),
        Counter({"tidied": 1}),
        Counter({"tidied": 1}),
    ]
    assert await worker.sweep(sweep) == 3


async def test_stopping_waits_for_what_is_running_and_takes_nothing_new(shop, worker, workshop):
    async with shop.tx() as tx:
        tx.enqueue("wait", None)
    running = asyncio.create_task(worker.run())

    async def started() -> bool:
        return workshop.runs["wait"] == 1

    await eventually(started)
    worker.stop()
    async with shop.tx() as tx:
        tx.enqueue("note", {"text": "later"})
    await asyncio.sleep(0.5)
    assert not running.done()
    workshop.hold.set()
    await asyncio.wait_for(running, timeout=10)
    assert await written(shop) == Counter({"waited": 1})
    assert await jobs_left(shop) == ["queued"]


async def test_a_job_of_a_killed_worker_is_finished_by_another(shop, worker, migrated_database):
    async with shop.tx() as tx:
        tx.enqueue("note", {"text": "survivor"})
    victim = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-m", "tests.runtime.queue.worker_child", migrated_database],
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHILD.parents[3],
    )
    try:
        line = await asyncio.to_thread(victim.stdout.readline)
        assert line == "in the middle\n"
        assert await jobs_left(shop) == ["picked"]
        victim.send_signal(signal.SIGKILL)
        await asyncio.to_thread(victim.wait)
        assert await jobs_left(shop) == ["picked"]
        async with working(worker):

            async def done() -> bool:
                return not await jobs_left(shop)

            await eventually(done)
    finally:
        victim.kill()
        victim.communicate()
    assert await written(shop) == Counter({"note survivor": 1})


def test_two_pieces_of_work_cannot_share_a_name(workshop):
    with pytest.raises(ValueError, match="note"):
        Registry(jobs=(Job("note", workshop.note), Job("note", workshop.wait)))


def test_a_reaction_of_a_newer_version_is_not_mistaken_for_done(workshop):
    with pytest.raises(LookupError, match="unheard_of"):
        workshop.registry().reaction("unheard_of")
