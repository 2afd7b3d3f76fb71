"""Who waits for a lock?"""

from __future__ import annotations

import asyncio

from billwright.runtime.db.tx import Tx

# Of this database, whose tables they have locked too: the server has others, and processes of its own.
WAITING = """select distinct l.pid from pg_locks l where not l.granted and exists (
    select from pg_locks own join pg_database d on d.oid = own.database
    where own.pid = l.pid and d.datname = current_database())"""


async def waiting_transactions(tx: Tx) -> int:
    """How many transactions wait now for what others hold."""
    return len(await tx.fetch(WAITING))


async def until_waiting(tx: Tx, *, transactions: int = 1) -> None:
    """Return when so many transactions wait."""
    async with asyncio.timeout(10):
        while await waiting_transactions(tx) < transactions:
            await tx.execute("select pg_sleep(0.01)")
