"""Is it told how much work waits, and whether anybody does it?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from billwright.runtime.queue.state import jobs_by_state, queue_state
from tests.conftest import Tenant

_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def _put_jobs(tenant: Tenant) -> None:
    async with tenant.tx() as tx:
        await tx.execute(
            """insert into queue.pgqueuer (priority, status, entrypoint, execute_after)
               values (0, 'queued', 'a', $1), (0, 'queued', 'a', $1::timestamptz + interval '1 hour'),
                   (0, 'queued', 'b', $1::timestamptz + interval '9 hours'), (0, 'picked', 'a', $1),
                   (0, 'failed', 'a', $1)""",
            _LONG_AGO,
        )


async def test_jobs_are_counted_by_what_they_wait_for(tenant: Tenant):
    await _put_jobs(tenant)
    counted = await jobs_by_state(tenant.database, at=_LONG_AGO + timedelta(hours=2))
    assert counted == {"waiting": 2, "delayed": 1, "active": 1, "failed": 1}


async def test_the_oldest_job_that_is_late_is_told(tenant: Tenant):
    await _put_jobs(tenant)
    state = await queue_state(tenant.database, at=_LONG_AGO + timedelta(hours=2))
    assert state.due_since == _LONG_AGO
    assert state.worker_seen_at is None
    before = await queue_state(tenant.database, at=_LONG_AGO - timedelta(hours=2))
    assert before.due_since is None


async def test_a_worker_is_seen_by_what_it_took(tenant: Tenant):
    async with tenant.tx() as tx:
        await tx.execute(
            """insert into queue.pgqueuer_schedules (expression, entrypoint, updated)
               values ('* * * * *', 'a', $1), ('* * * * *', 'b', $1::timestamptz - interval '1 day')""",
            _LONG_AGO,
        )
    state = await queue_state(tenant.database, at=_LONG_AGO)
    assert state.worker_seen_at == _LONG_AGO
