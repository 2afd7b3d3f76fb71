"""When does the billing run come?"""

from __future__ import annotations

from collections import Counter

import structlog

from billwright.features.subscriptions.operations.take_due_steps import take_due_steps
from billwright.features.subscriptions.sql.reads import earliest_action
from billwright.runtime.queue.registry import Sweep, Work
from billwright.runtime.together import together

_BATCHES_AT_A_TIME = 3

_log = structlog.get_logger(__name__)


async def renew_due_subscriptions(work: Work) -> int:
    """Bill everything that is due by `work.as_of`, batch by batch; each batch is one commit, so that
    a run that is killed continues where it was. Returns the number of steps taken.

    Three batches are under way at a time: while the database writes one and another waits for the
    lock on the numbers, this process computes the next. They share the work as workers do.
    """
    totals = Counter[str]()

    async def take_batches(_: int) -> None:
        while await _take_batch(work, totals):
            pass

    try:
        # A failure is raised when all have ended: none may go on behind a failed run.
        await together(take_batches, range(_BATCHES_AT_A_TIME), at_a_time=_BATCHES_AT_A_TIME)
    finally:
        if totals:
            _log.info("billing run", **totals)
    return totals["steps"]


async def _take_batch(work: Work, totals: Counter[str]) -> bool:
    """False when nothing is due any more."""
    async with work.tx() as tx:
        report = await take_due_steps(tx, as_of=work.as_of, test_clock_id=work.test_clock_id)
    if not report.accounts:
        return False
    totals.update(
        steps=report.steps,
        documents=len(report.billed.documents),
        held=report.billed.held,
        pending=report.billed.pending,
        parked=len(report.parked),
    )
    return True


SWEEPS = [
    Sweep(
        name="renew_due_subscriptions",
        cron="* * * * *",
        run=renew_due_subscriptions,
        next_due=earliest_action,
    )
]
