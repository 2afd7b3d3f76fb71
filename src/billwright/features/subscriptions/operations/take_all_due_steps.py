"""How is everything billed that is due, a few batches at a time?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from billwright.features.subscriptions.operations.take_due_steps import (
    BATCH_SIZE,
    BatchReport,
    take_due_steps,
)
from billwright.runtime.db.tx import Tx
from billwright.runtime.together import together

Opening: TypeAlias = "Callable[[], AbstractAsyncContextManager[Tx]]"

_BATCHES_AT_A_TIME = 3


async def take_all_due_steps(
    opening: Opening,
    *,
    as_of: datetime,
    test_clock_id: UUID | None,
    on_batch: Callable[[BatchReport], None],
) -> None:
    """Bill everything of a tenant that is due by `as_of`; tells `on_batch` after each batch.

    `opening` opens a transaction for each batch, which is one commit: a run that is stopped goes on
    where it was when it is started again. Three batches are under way at a time: while the database
    writes one and another waits for the lock on the numbers, this process computes the next. They
    share the work as workers do.
    """

    async def take_batch() -> BatchReport:
        async with opening() as tx:
            batch = await take_due_steps(tx, as_of=as_of, test_clock_id=test_clock_id)
        if batch.accounts:
            on_batch(batch)
        return batch

    async def take_batches(_: int) -> None:
        while (await take_batch()).accounts:
            pass

    # Most tenants are done with one batch: nothing looks for others before one was full.
    first = await take_batch()
    if first.accounts:
        at_a_time = _BATCHES_AT_A_TIME if first.steps >= BATCH_SIZE else 1
        # A failure is raised when all have ended: none may go on behind a failed run.
        await together(take_batches, range(at_a_time), at_a_time=at_a_time)
