"""Which work keeps an installation in order?"""

from __future__ import annotations

from billwright.features.accounts.operations.request_test_clock_advance import ADVANCE_TEST_CLOCK
from billwright.features.maintenance.operations.advance_test_clock import advance_test_clock
from billwright.runtime.counting import forget_counts
from billwright.runtime.db.idempotency import forget_expired
from billwright.runtime.queue.registry import Job, Sweep, Work


async def forget_expired_idempotency_keys(work: Work) -> int:
    """Delete the idempotency keys that nobody may repeat any more."""
    async with work.tx() as tx:
        return await forget_expired(tx)


async def forget_rate_limit_counts(work: Work) -> int:
    """Delete what was counted of requests in times that are over."""
    async with work.tx() as tx:
        return await forget_counts(tx)


JOBS = [Job(name=ADVANCE_TEST_CLOCK, run=advance_test_clock)]

SWEEPS = [
    Sweep(
        name="forget_expired_idempotency_keys",
        cron="17 * * * *",
        run=forget_expired_idempotency_keys,
    ),
    Sweep(name="forget_rate_limit_counts", cron="*/5 * * * *", run=forget_rate_limit_counts),
]
