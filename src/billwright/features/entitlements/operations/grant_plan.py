"""How does a subscription give access?"""

from __future__ import annotations

from billwright.features.entitlements.model import Source
from billwright.features.entitlements.operations.rebuild_snapshots import rebuild_snapshots
from billwright.features.entitlements.sql.writes import insert_source
from billwright.runtime.db.tx import Tx


async def grant_plan(tx: Tx, source: Source) -> None:
    """Give an account what a plan version contains, from this commit on."""
    await insert_source(tx, source)
    await rebuild_snapshots(tx, [source.account_id])
