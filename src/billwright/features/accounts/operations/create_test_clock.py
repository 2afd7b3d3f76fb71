"""How does a time of its own come to be?"""

from __future__ import annotations

from datetime import datetime

from billwright.features.accounts.model import TestClock, TestClockId, TestClockState
from billwright.features.accounts.sql.writes import insert_test_clock
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


async def create_test_clock(tx: Tx, *, name: str, now: datetime) -> TestClock:
    """Create a clock that stands at `now` until it is advanced."""
    clock = TestClock(
        id=TestClockId(new_id()),
        name=name,
        now=now,
        state=TestClockState.READY,
        target=None,
        failure=None,
        created_at=tx.now,
    )
    await insert_test_clock(tx, clock)
    tx.audit(
        "test_clock.create",
        subject_type="test_clock",
        subject_id=clock.id,
        details={"name": name, "now": now},
    )
    return clock
