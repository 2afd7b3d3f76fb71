"""How does an unpaid debt restrict what an account may use?"""

from __future__ import annotations

from collections.abc import Sequence

from billwright.features.entitlements.model import Restriction
from billwright.features.entitlements.operations.rebuild_snapshots import rebuild_snapshots
from billwright.features.entitlements.sql.writes import upsert_restrictions
from billwright.runtime.db.tx import Tx


async def restrict_access(tx: Tx, restrictions: Sequence[Restriction]) -> None:
    """Restrict access from this commit on; each restriction takes the place of the one that its cause
    had for the same access. The accounts are locked, and whoever restricts records why.
    """
    if not restrictions:
        return
    await upsert_restrictions(tx, restrictions)
    await rebuild_snapshots(tx, list({one.account_id for one in restrictions}))
