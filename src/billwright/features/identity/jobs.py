"""When is it forgotten that a session was ended?"""

from __future__ import annotations

from billwright.features.identity.sql.writes_sessions import delete_ended_sessions
from billwright.runtime.queue.registry import Sweep, Work


async def forget_ended_sessions(work: Work) -> int:
    """Forget ended sessions that would be over by now; returns how many."""
    async with work.tx() as tx:
        return await delete_ended_sessions(tx)


SWEEPS = [
    Sweep(name="forget_ended_sessions", cron="41 * * * *", run=forget_ended_sessions),
]
