"""How do subscriptions give access?"""

from __future__ import annotations

from collections.abc import Sequence

from billwright.features.entitlements.model import Source
from billwright.features.entitlements.operations.rebuild_snapshots import rebuild_snapshots
from billwright.features.entitlements.sql.writes import upsert_sources
from billwright.runtime.db.tx import Tx


async def grant_plans(tx: Tx, sources: Sequence[Source]) -> None:
    """Give accounts what plan versions contain, from this commit on, in place of what the same
    subscriptions gave before; limits count in the period named.
    """
    await upsert_sources(tx, sources)
    await rebuild_snapshots(tx, list({source.account_id for source in sources}))
