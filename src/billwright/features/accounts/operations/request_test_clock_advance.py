"""How is a test clock sent forward?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from billwright.features.accounts.errors import (
    test_clock_backwards,
    test_clock_busy,
    test_clock_too_far,
)
from billwright.features.accounts.model import TestClock, TestClockState
from billwright.features.accounts.sql.reads import test_clock_by_id
from billwright.features.accounts.sql.writes import lock_test_clock, start_advance
from billwright.runtime.db.tx import Tx

ADVANCE_TEST_CLOCK = "advance_test_clock"
_LIMIT = timedelta(days=2 * 366)


async def request_test_clock_advance(tx: Tx, *, test_clock_id: UUID, target: datetime) -> TestClock:
    """Ask the worker to move a clock to `target`, through everything that falls due on the way.

    Refuses: `test_clock_unknown`, `test_clock_busy`, `test_clock_backwards`, `test_clock_too_far`.
    """
    await lock_test_clock(tx, test_clock_id)
    clock = await test_clock_by_id(tx, test_clock_id)
    if clock.state is TestClockState.ADVANCING:
        raise test_clock_busy(test_clock_id=test_clock_id)
    if target <= clock.now:
        raise test_clock_backwards(pointer="/to", now=clock.now.isoformat())
    if target - clock.now > _LIMIT:
        raise test_clock_too_far(pointer="/to", limit_days=_LIMIT.days)
    await start_advance(tx, test_clock_id=test_clock_id, target=target)
    tx.enqueue(ADVANCE_TEST_CLOCK, {"test_clock_id": test_clock_id})
    tx.audit(
        "test_clock.advance",
        subject_type="test_clock",
        subject_id=test_clock_id,
        details={"target": target},
    )
    return replace(clock, state=TestClockState.ADVANCING, target=target, failure=None)
