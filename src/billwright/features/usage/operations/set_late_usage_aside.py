"""What becomes of usage that is late while nobody may be billed for it?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from billwright.features.usage.model import LateUsage
from billwright.features.usage.sql.writes_aside import insert_aside, make_due
from billwright.runtime.db.tx import Tx


async def set_late_usage_aside(tx: Tx, late: Sequence[LateUsage]) -> None:
    """Keep what was claimed in this transaction, so that its windows are counted again with whatever is
    told later, or as soon as `take_up_late_usage` asks for it.
    """
    if late:
        await insert_aside(tx, late)


async def take_up_late_usage(  # tidy: forwarding - a higher feature reopens, and writes are private
    tx: Tx, account_ids: Collection[UUID]
) -> None:
    """Have what was set aside of these accounts, which are locked, counted again now."""
    await make_due(tx, account_ids)
