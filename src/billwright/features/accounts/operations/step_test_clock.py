"""What does an advancing test clock leave behind at each step, and when it has arrived?"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from billwright.features.accounts.model import TestClockState
from billwright.features.accounts.sql.writes import end_advance, move_test_clock
from billwright.runtime.db.tx import Tx


async def step_test_clock(  # tidy: forwarding - a higher feature advances, and writes are private
    tx: Tx, test_clock_id: UUID, *, now: datetime
) -> None:
    """Let the clock stand at `now`; commands on its accounts take place at that time from here on."""
    await move_test_clock(tx, test_clock_id=test_clock_id, now=now)


async def finish_test_clock(tx: Tx, test_clock_id: UUID, *, failure: str | None) -> None:
    """Note that the clock has arrived, or why it has stopped on the way."""
    state = TestClockState.FAILED if failure else TestClockState.READY
    await end_advance(tx, test_clock_id=test_clock_id, state=state, failure=failure)
    tx.audit(
        "test_clock.finish",
        subject_type="test_clock",
        subject_id=test_clock_id,
        details={"state": state, "failure": failure},
    )
