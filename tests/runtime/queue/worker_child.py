"""A worker that takes a job, says so, and never finishes it.

Started with the database's address.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from billwright.runtime.queue.registry import Work
from tests.runtime.queue.working import Workshop, a_worker, database_for, write


class Sleeper(Workshop):
    async def note(self, work: Work, payload: Any) -> None:
        async with work.tx() as tx:
            await write(tx, f"note {payload['text']}")
            sys.stdout.write("in the middle\n")
            sys.stdout.flush()
            await asyncio.sleep(600)


async def main(dsn: str) -> None:
    workshop = Sleeper()
    async with database_for(dsn, workshop) as database:
        await a_worker(database, workshop, dsn=dsn).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
