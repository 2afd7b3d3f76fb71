"""How does access end?"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from billwright.features.entitlements.operations.rebuild_snapshots import rebuild_snapshots
from billwright.features.entitlements.sql.writes import delete_sources
from billwright.runtime.db.tx import Tx


async def withdraw_plans(tx: Tx, subscriptions: Mapping[UUID, UUID]) -> None:
    """Take away what these subscriptions gave to their accounts, from this commit on."""
    await delete_sources(tx, list(subscriptions))
    await rebuild_snapshots(tx, list(set(subscriptions.values())))
