"""Are things done a few at a time, and all of them?"""

from __future__ import annotations

import asyncio

import pytest

from billwright.runtime.together import together


async def test_results_come_in_the_order_of_the_items():
    async def work(item: int) -> int:
        await asyncio.sleep(0.01 * (3 - item))
        return item * 10

    assert await together(work, [1, 2, 3], at_a_time=3) == [10, 20, 30]
    assert await together(work, [], at_a_time=3) == []


async def test_no_more_than_so_many_are_under_way():
    under_way = most = 0

    async def work(_item: int) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1

    await together(work, range(20), at_a_time=4)
    assert most == 4


async def test_the_first_failure_is_raised_when_all_have_ended():
    ended: list[int] = []

    async def work(item: int) -> None:
        await asyncio.sleep(0)
        ended.append(item)
        if item in {1, 3}:
            raise ValueError(item)

    with pytest.raises(ValueError, match="1"):
        await together(work, range(5), at_a_time=2)
    assert sorted(ended) == [0, 1, 2, 3, 4]
