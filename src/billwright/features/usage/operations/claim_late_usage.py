"""Of which accounts is usage counted again that was billed?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billwright.features.usage.model import LateUsage
from billwright.features.usage.sql.writes import claim_late_accounts, take_late_usage
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True)
class ClaimedUsage:
    """Accounts, locked until the commit, and of which time their usage is counted again."""

    account_ids: tuple[UUID, ...] = ()
    late: tuple[LateUsage, ...] = ()


async def claim_late_usage(
    tx: Tx, *, as_of: datetime, test_clock_id: UUID | None, limit: int
) -> ClaimedUsage:
    """Take up to `limit` accounts whose billed usage is to be counted again by `as_of`; with the commit
    it has been. What else becomes known until then is counted another time.
    """
    accounts = await claim_late_accounts(tx, as_of=as_of, test_clock_id=test_clock_id, limit=limit)
    if not accounts:
        return ClaimedUsage()
    return ClaimedUsage(tuple(accounts), tuple(await take_late_usage(tx, accounts, as_of=as_of)))
