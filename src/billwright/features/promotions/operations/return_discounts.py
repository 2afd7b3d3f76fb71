"""How do promotions get back what they gave on lines that are withdrawn?"""

from __future__ import annotations

from collections.abc import Sequence

from billwright.features.promotions.operations.store_redemptions import store_redemptions
from billwright.features.promotions.rules.returns import ReturnedDiscount, with_returns
from billwright.features.promotions.sql.reads import redemptions_by_id
from billwright.runtime.db.tx import Tx


async def return_discounts(tx: Tx, returned: Sequence[ReturnedDiscount]) -> None:
    """Let redemptions give again what they gave; the command that withdraws has locked their account."""
    if not returned:
        return
    before = await redemptions_by_id(tx, list({one.redemption_id for one in returned}))
    after = with_returns(before, returned)
    await store_redemptions(tx, [one for key, one in after.items() if one != before[key]])
