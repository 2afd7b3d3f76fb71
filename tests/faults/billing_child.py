"""A process that runs the billing job once, as a worker would, until it is done or killed.

Started with the database's address, the tenant's id and the instant to bill up to. Prints a line when
it begins, and one with the number of boundaries that it crossed when it is done.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from uuid import UUID

import billwright.features
from billwright.features.subscriptions.jobs import SWEEPS
from billwright.kernel.ids import TenantId
from billwright.runtime.clock import FixedClock
from billwright.runtime.db.database import Database
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import Work, discover


async def main(dsn: str, tenant_id: str, as_of: str) -> None:
    instant = datetime.fromisoformat(as_of)
    outbox = QueueOutbox(discover(billwright.features))
    database = await Database.connect(dsn, outbox=outbox, clock=FixedClock(instant), size=3)
    sweep = next(one for one in SWEEPS if one.name == "renew_due_subscriptions")
    work = Work(
        name=sweep.name, database=database, tenant_id=TenantId(UUID(tenant_id)), as_of=instant
    )
    say("begin")
    say(str(await sweep.run(work)))
    await database.close()


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
