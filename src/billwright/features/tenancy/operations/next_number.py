"""Which readable number comes next?"""

from __future__ import annotations

from billwright.features.tenancy.sql.writes import advance_counter
from billwright.runtime.db.tx import Tx


async def next_account_number(tx: Tx) -> int:
    """The next customer number; call it late, since the counter stays locked until the commit."""
    return await advance_counter(tx, "account")


async def next_subscription_number(tx: Tx) -> int:
    """The next subscription number, shown as SUB-000001."""
    return await advance_counter(tx, "subscription")
