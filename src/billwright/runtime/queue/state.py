"""How much work waits, and is there anybody who does it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from billwright.runtime.db.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """`due_since` is when the oldest job that waits was to run, none where nothing is late.
    `worker_seen_at` is when a worker last took or finished what is due, and there is something due
    every minute; none where there has never been one.
    """

    due_since: datetime | None
    worker_seen_at: datetime | None


async def queue_state(database: Database, *, at: datetime) -> QueueState:
    """How things stand at an instant; quick however much waits."""
    (row,) = await database.unscoped(
        """select (select min(o.execute_after)
                   from (select j.execute_after from queue.pgqueuer j where j.status = 'queued'
                         order by j.priority desc, j.id limit 100) o
                   where o.execute_after <= $1) as due_since,
                  (select max(s.updated) from queue.pgqueuer_schedules s) as worker_seen_at""",
        at,
    )
    return QueueState(**row)


async def jobs_by_state(database: Database, *, at: datetime) -> Mapping[str, int]:
    """How many jobs wait, are delayed, are worked on, or have failed for good; the others are gone."""
    (row,) = await database.unscoped(
        """select count(*) filter (where status = 'queued' and execute_after <= $1) as waiting,
               count(*) filter (where status = 'queued' and execute_after > $1) as delayed,
               count(*) filter (where status = 'picked') as active,
               count(*) filter (where status in ('exception', 'failed')) as failed
           from queue.pgqueuer""",
        at,
    )
    return dict(row)
