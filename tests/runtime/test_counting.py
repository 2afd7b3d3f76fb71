"""Is everything counted once, in windows that end, and without growing for ever?"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from billwright.runtime.counting import CountsInDatabase, CountsInMemory, forget_counts
from tests.conftest import NOON


class Hand:
    """A clock that is moved by hand."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def test_memory_counts_until_a_window_ends_and_then_anew():
    hand = Hand()
    counts = CountsInMemory(hand)
    assert await counts.add(b"a", tenant="x", seconds=10) == (1, 10)
    hand.seconds = 9.5
    assert await counts.add(b"a", tenant="x", seconds=10) == (2, 1)
    assert await counts.add(b"b", tenant="x", seconds=10) == (1, 10)
    assert await counts.add(b"a", tenant="y", seconds=10) == (1, 10)
    hand.seconds = 10
    assert await counts.add(b"a", tenant="x", seconds=10) == (1, 10)


async def test_memory_keeps_no_more_than_it_may():
    hand = Hand()
    counts = CountsInMemory(hand, most=3)
    for key in (b"a", b"b", b"c", b"d"):
        await counts.add(key, tenant="x", seconds=10)
    assert (await counts.add(b"b", tenant="x", seconds=10)).number == 2
    assert (await counts.add(b"d", tenant="x", seconds=10)).number == 2
    assert (await counts.add(b"a", tenant="x", seconds=10)).number == 1
    assert len(counts) == 3
    hand.seconds = 10
    await counts.add(b"e", tenant="x", seconds=10)
    assert len(counts) == 1


async def test_the_database_counts_each_of_many_at_once(database, tenant):
    counts = CountsInDatabase(database, otherwise=CountsInMemory())
    added = [counts.add(b"a", tenant="default", seconds=60) for _ in range(30)]
    assert sorted(count.number for count in await asyncio.gather(*added)) == list(range(1, 31))


async def test_the_database_begins_anew_and_forgets_what_is_over(
    database, tenant, other_tenant, clock
):
    counts = CountsInDatabase(database, otherwise=CountsInMemory())
    for code in ("default", "other"):
        assert await counts.add(b"a", tenant=code, seconds=60) == (1, 60)
    assert await counts.add(b"b", tenant="default", seconds=120) == (1, 120)
    clock.move_to(NOON + timedelta(seconds=59, microseconds=1))
    assert await counts.add(b"a", tenant="default", seconds=60) == (2, 1)
    clock.move_to(NOON + timedelta(seconds=60))
    async with tenant.tx() as tx:
        assert await forget_counts(tx) == 1
    assert await counts.add(b"a", tenant="default", seconds=60) == (1, 60)
    assert await counts.add(b"a", tenant="other", seconds=60) == (1, 60)
    assert await counts.add(b"b", tenant="default", seconds=60) == (2, 60)


async def test_a_tenant_that_nobody_has_created_is_counted_by_the_process(database):
    counts = CountsInDatabase(database, otherwise=CountsInMemory())
    assert await counts.add(b"a", tenant="nowhere", seconds=60) == (1, 60)
    assert (await counts.add(b"a", tenant="nowhere", seconds=60)).number == 2
