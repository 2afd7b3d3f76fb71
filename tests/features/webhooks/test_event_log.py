"""Does who follows the event log see everything, once and in order?"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from billwright.features.webhooks.errors import event_unknown
from billwright.features.webhooks.sql import reads_events
from billwright.features.webhooks.sql.reads_events import event_by_id
from billwright.kernel.id_bounds import made_at
from billwright.kernel.ids import new_id
from billwright.kernel.refusal import Refusal
from tests.features.webhooks.listening import codes_of, happen, publish, read_log


async def test_events_are_read_from_a_cursor_in_the_order_of_their_places(tenant):
    await happen(tenant, "one", "two")
    await happen(tenant, "three")
    first = await read_log(tenant, limit=2)
    assert (codes_of(first), first.more) == (["one", "two"], True)
    second = await read_log(tenant, after=first.read_to, limit=2)
    assert (codes_of(second), second.more) == (["three"], False)
    await happen(tenant, "four")
    assert codes_of(await read_log(tenant, after=second.read_to)) == ["four"]


async def test_what_was_published_first_and_committed_last_is_not_skipped(tenant):
    """The slow one has the smaller id: its event was published before the other transaction began."""
    slow_has_published, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with tenant.tx() as tx:
            publish(tx, "slow")
            slow_has_published.set()
            await go_on.wait()

    task = asyncio.create_task(slow())
    await slow_has_published.wait()
    await happen(tenant, "quick")
    early = await read_log(tenant)
    assert codes_of(early) == ["quick"]
    go_on.set()
    await task
    late = await read_log(tenant, after=early.read_to)
    assert codes_of(late) == ["slow"]
    assert late.events[0].id < early.events[0].id  # a cursor by id would have lost it


async def test_a_reader_waits_for_places_that_were_drawn_and_not_committed(tenant, database):
    """The rows of the first transaction are inserted and it has not ended; a later place is visible."""
    async with database._pool.acquire() as connection:
        await connection.execute(f"begin; set local billwright.tenant_id = '{tenant.id}'")
        await connection.execute(
            """insert into event (tenant_id, id, type, version, subject_type, subject_id, actor_kind,
                   actor_name, cause, occurred_at, data)
               values ($1, $2, 'plan.archived', 1, 'plan', $2, 'system', 'test', 'test',
                   '2026-01-15T12:00:00Z', '{"code": "inserted"}')""",
            tenant.id,
            new_id(),
        )
        await happen(tenant, "later")
        reading = asyncio.create_task(read_log(tenant))
        await asyncio.sleep(0.3)
        assert not reading.done()
        await connection.execute("commit")
        assert codes_of(await reading) == ["inserted", "later"]


async def test_writers_do_not_wait_for_each_other(tenant):
    async def write(number: int) -> None:
        async with tenant.tx() as tx:
            publish(tx, f"n{number}")
            await asyncio.sleep(0.05)

    readers = [asyncio.create_task(read_log(tenant)) for _ in range(3)]
    await asyncio.wait_for(asyncio.gather(*(write(n) for n in range(12)), *readers), timeout=8)
    assert sorted(codes_of(await read_log(tenant))) == sorted(f"n{n}" for n in range(12))


async def test_many_writers_and_a_reader_that_goes_on_lose_nothing(tenant):
    async def write(number: int) -> None:
        for turn in range(8):
            async with tenant.tx() as tx:
                publish(tx, f"{number}.{turn}")
                await asyncio.sleep(0.001 * ((number * 7 + turn * 3) % 5))
                publish(tx, f"{number}.{turn}.end")

    seen: list[str] = []
    writing = asyncio.gather(*(write(number) for number in range(4)))
    after = None
    while True:
        is_last = writing.done()
        page = await read_log(tenant, after=after, limit=5)
        seen += codes_of(page)
        after = page.read_to
        if is_last and not page.more:
            break
    await writing
    assert sorted(seen) == sorted(
        f"{number}.{turn}{end}" for number in range(4) for turn in range(8) for end in ("", ".end")
    )
    for number in range(4):  # what one after the other did is in that order
        own = [code for code in seen if code.startswith(f"{number}.")]
        assert own == sorted(own)


async def test_filters(tenant, monkeypatch):
    subject = new_id()
    await happen(tenant, "a", "b")
    await happen(tenant, "c", subject_id=subject)
    assert codes_of(await read_log(tenant, subject_id=subject)) == ["c"]
    assert codes_of(await read_log(tenant, types=("plan.archived",))) == ["a", "b", "c"]
    assert codes_of(await read_log(tenant, types=("plan.created",))) == []
    assert codes_of(await read_log(tenant, account_id=new_id())) == []
    whole = await read_log(tenant)
    since = made_at(whole.events[-1].id)
    assert codes_of(await read_log(tenant, since=since))[-1] == "c"
    assert codes_of(await read_log(tenant, since=since + timedelta(milliseconds=1))) == []

    # One request looks at two events; a page may be empty although there is more.
    monkeypatch.setattr(reads_events, "_LOOKED_AT", 2)
    page = await read_log(tenant, types=("plan.created",))
    assert (page.events, page.more, page.read_to) == ((), True, whole.events[1].position)
    rest = await read_log(tenant, after=page.read_to, types=("plan.archived",))
    assert (codes_of(rest), rest.more) == (["c"], False)


async def test_the_log_of_another_tenant_is_invisible(tenant, other_tenant):
    await happen(tenant, "ours")
    [event] = (await read_log(tenant)).events
    assert (await read_log(other_tenant)).events == ()
    async with other_tenant.tx() as tx:
        with pytest.raises(Refusal) as refused:
            await event_by_id(tx, event.id)
    assert refused.value.code == event_unknown.code
    async with tenant.tx() as tx:
        assert (await event_by_id(tx, UUID(str(event.id)))) == event
