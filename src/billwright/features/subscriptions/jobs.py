"""When does the billing run come?"""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import structlog

from billwright.features.subscriptions.operations.adjust_late_usage import (
    adjust_late_usage as adjust_batch,
)
from billwright.features.subscriptions.operations.end_repeated_trial import end_repeated_trial
from billwright.features.subscriptions.operations.note_fingerprint import END_REPEATED_TRIAL
from billwright.features.subscriptions.operations.remind_subscribers import (
    remind_subscribers as remind_batch,
)
from billwright.features.subscriptions.operations.take_all_due_steps import take_all_due_steps
from billwright.features.subscriptions.operations.take_due_steps import BatchReport
from billwright.features.subscriptions.sql.reads import earliest_action
from billwright.features.subscriptions.sql.reads_trials import earliest_reminder
from billwright.features.usage.sql.reads import earliest_late_usage
from billwright.runtime.queue.registry import Job, Sweep, Work

_log = structlog.get_logger(__name__)


async def renew_due_subscriptions(work: Work) -> int:
    """Bill everything that is due by `work.as_of`; returns the number of steps taken."""
    totals = Counter[str]()

    def count(batch: BatchReport) -> None:
        totals.update(
            steps=batch.steps,
            documents=len(batch.billed.documents),
            held=batch.billed.held,
            pending=batch.billed.pending,
            parked=len(batch.parked),
        )

    try:
        await take_all_due_steps(
            work.tx, as_of=work.as_of, test_clock_id=work.test_clock_id, on_batch=count
        )
    finally:
        if totals:
            _log.info("billing run", **totals)
    return totals["steps"]


async def adjust_late_usage(work: Work) -> int:
    """Count again what was billed for usage and is due for it, batch by batch; returns the number of
    accounts.
    """
    counted = 0
    while True:
        async with work.tx() as tx:
            batch = await adjust_batch(tx, as_of=work.as_of, test_clock_id=work.test_clock_id)
        if not batch:
            return counted
        counted += batch


async def remind_subscribers(work: Work) -> int:
    """Publish what ends soon and people are to be told of, batch by batch; returns how many."""
    reminded = 0
    while True:
        async with work.tx() as tx:
            batch = await remind_batch(tx, as_of=work.as_of, test_clock_id=work.test_clock_id)
        if not batch:
            return reminded
        reminded += batch


async def end_trial_had_before(work: Work, payload: dict[str, str]) -> None:
    """A trial ends that another account has had with the same payment method."""
    async with work.tx() as tx:
        await end_repeated_trial(tx, UUID(payload["subscription_id"]))


JOBS = [Job(END_REPEATED_TRIAL, end_trial_had_before)]

SWEEPS = [
    Sweep(
        name="renew_due_subscriptions",
        cron="* * * * *",
        run=renew_due_subscriptions,
        next_due=earliest_action,
    ),
    Sweep(
        name="adjust_late_usage",
        cron="*/10 * * * *",
        run=adjust_late_usage,
        next_due=earliest_late_usage,
    ),
    Sweep(
        name="remind_subscribers",
        cron="*/10 * * * *",
        run=remind_subscribers,
        next_due=earliest_reminder,
    ),
]
