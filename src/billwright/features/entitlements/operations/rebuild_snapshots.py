"""What does an account's snapshot say after one of its inputs has changed?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billwright.features.entitlements.model import PoolDefinition, Snapshot
from billwright.features.entitlements.operations.adjust_pools import adjust_pools
from billwright.features.entitlements.operations.gather_holdings import gather_holdings
from billwright.features.entitlements.rules.decide import decide
from billwright.features.entitlements.sql.reads import current_epoch
from billwright.features.entitlements.sql.writes import NewSnapshot, upsert_snapshots
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx


async def rebuild_snapshots(tx: Tx, account_ids: Sequence[UUID]) -> list[Snapshot]:
    """Compute what these accounts may use from all that gives and restricts it, and store it with their
    pools, in a constant number of queries. The accounts are locked.
    """
    # Read before what it stands for: a snapshot may be newer than it says, but never older.
    epoch = await current_epoch(tx)
    made: list[NewSnapshot] = []
    definitions: list[PoolDefinition] = []
    for one in await gather_holdings(tx, account_ids, at=tx.now):
        decided, pools = decide(one.holdings)
        definitions += pools
        text = to_json(decided)
        made.append(NewSnapshot(one.holdings.account_id, text, one.valid_until, one.test_clock_id))
    await adjust_pools(tx, definitions, account_ids=account_ids)
    return await upsert_snapshots(tx, made, epoch=epoch)
