"""When do limits start to count anew?"""

from __future__ import annotations

from collections.abc import Sequence

from billwright.features.entitlements.model import PeriodMove
from billwright.features.entitlements.operations.rebuild_snapshots import rebuild_snapshots
from billwright.features.entitlements.sql.writes import update_periods
from billwright.runtime.db.tx import Tx


async def start_periods(tx: Tx, moves: Sequence[PeriodMove]) -> None:
    """Let the limits of renewed subscriptions count in their new periods."""
    await update_periods(tx, moves)
    await rebuild_snapshots(tx, list({move.account_id for move in moves}))
