"""When does the billing run come?"""

from __future__ import annotations

import structlog

from billwright.features.subscriptions.operations.renew_due_subscriptions import (
    renew_due_subscriptions as renew_batch,
)
from billwright.features.subscriptions.sql.reads import earliest_action
from billwright.runtime.queue.registry import Sweep, Work

_log = structlog.get_logger(__name__)


async def renew_due_subscriptions(work: Work) -> int:
    """Bill everything that is due by `work.as_of`, batch by batch; each batch is one commit, so that
    a run that is killed continues where it was. Returns the number of boundaries crossed.
    """
    crossed = invoices = parked = 0
    while True:
        async with work.tx() as tx:
            report = await renew_batch(tx, as_of=work.as_of, test_clock_id=work.test_clock_id)
        if not report.accounts:
            break
        crossed += report.subscriptions
        invoices += report.invoices
        parked += report.parked
    if crossed or parked:
        _log.info("billing run", renewed=crossed, invoices=invoices, parked=parked)
    return crossed


SWEEPS = [
    Sweep(
        name="renew_due_subscriptions",
        cron="* * * * *",
        run=renew_due_subscriptions,
        next_due=earliest_action,
    )
]
