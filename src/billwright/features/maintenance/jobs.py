"""Which work keeps an installation in order?"""

from __future__ import annotations

from billwright.features.accounts.operations.request_test_clock_advance import ADVANCE_TEST_CLOCK
from billwright.features.maintenance.operations.advance_test_clock import advance_test_clock
from billwright.runtime.db.idempotency import forget_expired
from billwright.runtime.queue.registry import Job, Sweep, Work


async def forget_expired_idempotency_keys(work: Work) -> int:
    """Delete the idempotency keys that nobody may repeat any more."""
    async with work.tx() as tx:
        return await forget_expired(tx)


JOBS = [Job(name=ADVANCE_TEST_CLOCK, run=advance_test_clock)]

SWEEPS = [
    Sweep(
        name="forget_expired_idempotency_keys",
        cron="17 * * * *",
        run=forget_expired_idempotency_keys,
    )
]
