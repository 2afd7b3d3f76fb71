"""How is kept what discounts have left of redemptions?"""

from __future__ import annotations

from collections.abc import Sequence

from billwright.features.promotions.events import PromotionExhausted
from billwright.features.promotions.model import Redemption
from billwright.features.promotions.sql.writes import update_redemptions
from billwright.runtime.db.tx import Tx


async def store_redemptions(tx: Tx, redemptions: Sequence[Redemption]) -> None:
    """Keep redemptions as a computation has left them, each of them once, in one statement.

    It is a part of the command that bills, which has locked the accounts and is audited there.
    """
    if not redemptions:
        return
    exhausted = await update_redemptions(tx, redemptions)
    for redemption in redemptions:
        if redemption.id in exhausted:
            tx.publish(
                PromotionExhausted(
                    subject_id=redemption.id,
                    account_id=redemption.account_id,
                    promotion_id=redemption.promotion_id,
                    code=redemption.code,
                    subscription_id=redemption.subscription_id,
                )
            )
