"""What may an account use, when its snapshot may be missing or out of date?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.entitlements.model import Snapshot
from billwright.features.entitlements.operations.rebuild_snapshots import rebuild_snapshots
from billwright.features.entitlements.sql.reads import snapshot_if_fresh
from billwright.runtime.db.tx import Tx


async def fresh_snapshot(tx: Tx, account_id: UUID) -> Snapshot:
    """An account's snapshot as it is now, made anew where that is needed: then the account is locked.

    Refuses: `account_unknown`.
    """
    kept = await snapshot_if_fresh(tx, account_id)
    if kept is not None:
        return kept
    await lock_account(tx, account_id)
    # Somebody else may have made it while this one waited.
    kept = await snapshot_if_fresh(tx, account_id)
    if kept is not None:
        return kept
    (made,) = await rebuild_snapshots(tx, [account_id])
    return made
