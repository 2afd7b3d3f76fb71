"""When does the billing run come?"""

from __future__ import annotations

import asyncio
from collections import Counter

import structlog

from billwright.features.subscriptions.operations.renew_due_subscriptions import (
    renew_due_subscriptions as renew_batch,
)
from billwright.features.subscriptions.sql.reads import earliest_action
from billwright.runtime.queue.registry import Sweep, Work

_BATCHES_AT_A_TIME = 3

_log = structlog.get_logger(__name__)


async def renew_due_subscriptions(work: Work) -> int:
    """Bill everything that is due by `work.as_of`, batch by batch; each batch is one commit, so that
    a run that is killed continues where it was. Returns the number of boundaries crossed.

    Three batches are under way at a time: while the database writes one and another waits for the
    lock on the numbers, this process computes the next. They share the work as workers do.
    """
    totals = Counter[str]()
    outcomes = await asyncio.gather(
        *(_renew_batches(work, totals) for _ in range(_BATCHES_AT_A_TIME)), return_exceptions=True
    )
    if totals:
        _log.info("billing run", **totals)
    for outcome in outcomes:  # not before all have ended: none may go on behind a failed run
        if outcome is not None:
            raise outcome
    return totals["renewed"]


async def _renew_batches(work: Work, totals: Counter[str]) -> None:
    while True:
        async with work.tx() as tx:
            report = await renew_batch(tx, as_of=work.as_of, test_clock_id=work.test_clock_id)
        if not report.accounts:
            return
        totals.update(renewed=report.subscriptions, invoices=report.invoices, parked=report.parked)


SWEEPS = [
    Sweep(
        name="renew_due_subscriptions",
        cron="* * * * *",
        run=renew_due_subscriptions,
        next_due=earliest_action,
    )
]
