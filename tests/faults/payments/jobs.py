"""How are the jobs that a tenant's transactions asked for run without a worker's pauses?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from billwright.runtime.queue.outbox import REACT
from billwright.runtime.queue.reacting import react
from billwright.runtime.queue.registry import Registry, Work

# What has nothing to do with money, and wants to reach the world.
_ELSEWHERE = {"deliver_notifications", "check_vat_ids"}


async def run_jobs(work: Work, registry: Registry, *, only: Sequence[str] | None = None) -> int:
    """Run every job that waits, whatever its delay, oldest first; how many there were. One that fails
    or dies stays.
    """
    jobs = {job.name: job for job in registry.jobs}
    done = 0
    while True:
        async with work.database._pool.acquire() as connection:
            rows = await connection.fetch(
                """select id, entrypoint, payload from queue.pgqueuer
                   where ($1::text[] is null or entrypoint = any($1))
                       and convert_from(payload, 'utf-8')::jsonb ->> 'tenant_id' = $2
                   order by id""",
                only,
                str(work.tenant_id),
            )
        if not rows:
            return done
        for row in rows:
            payload: Any = msgspec.json.decode(row["payload"])["payload"]
            if row["entrypoint"] == REACT:
                await react(work.database, registry, tenant_id=work.tenant_id, payload=payload)
            elif row["entrypoint"] not in _ELSEWHERE:
                name = row["entrypoint"]
                await jobs[name].run(replace(work, name=name), payload)
            async with work.database._pool.acquire() as connection:
                await connection.execute("delete from queue.pgqueuer where id = $1", row["id"])
            done += 1
