"""When do unpaid invoices come due for the next step?"""

from __future__ import annotations

import structlog

from billwright.features.dunning.operations.take_due_steps import take_due_steps
from billwright.features.dunning.sql.reads import earliest_due
from billwright.features.payment_providers.port import PaymentProviders
from billwright.runtime.queue.registry import Sweep, Work
from billwright.runtime.secrets import SecretBox

_log = structlog.get_logger(__name__)


async def take_due_dunning_steps(work: Work) -> int:
    """Take every case over what is due by `work.as_of`, batch by batch; returns how many times a case
    was looked at.
    """
    total = 0
    while batch := await take_due_steps(
        work.tx,
        as_of=work.as_of,
        test_clock_id=work.test_clock_id,
        providers=work.provider(PaymentProviders),
        box=work.provider(SecretBox),
    ):
        total += batch
    if total:
        _log.info("dunning", cases=total)
    return total


SWEEPS = [
    Sweep(
        name="take_due_dunning_steps",
        cron="* * * * *",
        run=take_due_dunning_steps,
        next_due=earliest_due,
    )
]
