"""Whose usage has nobody looked at since it became known?"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from billwright.features.usage.sql.writes_totals import claim_unseen_accounts, mark_seen
from billwright.runtime.db.tx import Tx


async def claim_unseen_usage(  # tidy: forwarding - a higher feature looks, and writes are private
    tx: Tx, *, test_clock_id: UUID | None, limit: int
) -> list[UUID]:
    """Lock accounts with usage that nobody has looked at, to be marked as seen in the same commit."""
    return await claim_unseen_accounts(tx, test_clock_id=test_clock_id, limit=limit)


async def mark_usage_seen(  # tidy: forwarding - a higher feature looks, and writes are private
    tx: Tx, account_ids: Collection[UUID]
) -> None:
    """Note that the usage of these accounts is looked at. What becomes known meanwhile waits for the
    commit and is looked at another time. Pools of the accounts are held before, never after.
    """
    await mark_seen(tx, account_ids)
