"""When is usage counted again that was billed?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billwright.features.usage.model import LateUsage, UsageWindow
from billwright.features.usage.rules.acceptance import GRACE, merged
from billwright.features.usage.sql.writes import mark_late_usage
from billwright.runtime.db.tx import Tx


async def look_again(tx: Tx, billed: Sequence[tuple[UUID, UsageWindow]]) -> None:
    """Ask for windows, each with its account, to be counted again when stragglers have had their time.
    What is recorded while a window is being billed is found then, so that nobody has to wait for a lock.
    """
    await mark_late_usage(
        tx,
        merged(
            LateUsage(
                account_id=account_id,
                subscription_id=window.subscription_id,
                occurred_from=window.start,
                occurred_until=window.end,
                due_at=tx.now + GRACE,
            )
            for account_id, window in billed
        ),
    )
