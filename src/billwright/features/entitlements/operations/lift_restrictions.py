"""How does access come back that an unpaid debt restricted?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.entitlements.operations.rebuild_snapshots import rebuild_snapshots
from billwright.features.entitlements.sql.writes import delete_restrictions
from billwright.runtime.db.tx import Tx


async def lift_restrictions(tx: Tx, cause_id: UUID) -> None:
    """Take back what a cause restricted, from this commit on; what others restrict stays. The account
    is locked.
    """
    freed = await delete_restrictions(tx, cause_id)
    if freed:
        await rebuild_snapshots(tx, freed)
