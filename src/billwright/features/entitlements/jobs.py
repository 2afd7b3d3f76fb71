"""When is it told that limits are reached?"""

from __future__ import annotations

from dataclasses import replace

from billwright.features.entitlements.operations.announce_limits import announce_limits
from billwright.features.usage.sql.reads_totals import clocks_with_unseen_usage
from billwright.runtime.queue.registry import Sweep, Work


async def announce_reached_limits(work: Work) -> int:
    """Look at all usage that has become known, also of accounts on test clocks: it is told while their
    time stands still. Returns how many limits were announced.
    """
    async with work.tx() as tx:
        clocks = await clocks_with_unseen_usage(tx)
    announced = 0
    for test_clock_id, now in clocks:
        there = replace(work, test_clock_id=test_clock_id, as_of=now or work.as_of)
        while True:
            async with there.tx() as tx:
                looked_at = await announce_limits(tx, test_clock_id=test_clock_id)
            announced += looked_at.announced
            if not looked_at.accounts:
                break
    return announced


SWEEPS = [
    Sweep(name="announce_reached_limits", cron="* * * * *", run=announce_reached_limits),
]
