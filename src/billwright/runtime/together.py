"""How are many things done, a few at a time?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def together(
    work: Callable[[T], Awaitable[R]], items: Iterable[T], *, at_a_time: int
) -> list[R]:
    """Do the work for each item, `at_a_time` of them at once; the results, in the order of the items.

    All are done, also behind one that fails, and the first failure is raised when nothing is under
    way any more.
    """
    places = asyncio.Semaphore(at_a_time)

    async def one(item: T) -> R:
        async with places:
            return await work(item)

    results: list[R] = []
    outcomes = await asyncio.gather(*map(one, items), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
        results.append(outcome)
    return results
