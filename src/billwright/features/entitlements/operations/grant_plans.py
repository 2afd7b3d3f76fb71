"""How do subscriptions give access?"""

from __future__ import annotations

from collections.abc import Sequence

from billwright.features.entitlements.model import Source
from billwright.features.entitlements.operations.adjust_pools import adjust_pools
from billwright.features.entitlements.operations.gather_holdings import gather_holdings
from billwright.features.entitlements.operations.rebuild_snapshots import rebuild_snapshots
from billwright.features.entitlements.rules.decide import define_pools
from billwright.features.entitlements.sql.reads import accounts_with_pools
from billwright.features.entitlements.sql.writes import update_periods, upsert_sources
from billwright.runtime.db.tx import Tx


async def grant_plans(tx: Tx, sources: Sequence[Source]) -> None:
    """Give accounts what plan versions contain, from this commit on, in place of what the same
    subscriptions gave before; limits count in the period named. The accounts are locked.
    """
    await upsert_sources(tx, sources)
    await rebuild_snapshots(tx, list({source.account_id for source in sources}))


async def move_periods(tx: Tx, sources: Sequence[Source]) -> None:
    """Let limits count in other periods, where subscriptions give what they gave before. The accounts
    are locked. Only pools know of periods, so that every snapshot stays as it is.
    """
    await update_periods(tx, sources)
    counting = await accounts_with_pools(tx, list({source.account_id for source in sources}))
    if not counting:
        return
    gathered = await gather_holdings(tx, counting, at=tx.now)
    definitions = [pool for one in gathered for pool in define_pools(one.holdings)]
    await adjust_pools(tx, definitions, account_ids=counting)
