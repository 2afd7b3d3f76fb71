"""How does a person take a promotion from a subscription?"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.promotions.events import PromotionEnded
from billwright.features.promotions.model import Redemption, RedemptionState
from billwright.features.promotions.sql.reads import redemption_by_id
from billwright.features.promotions.sql.writes import update_redemptions
from billwright.runtime.db.tx import Tx


async def end_redemption(tx: Tx, redemption_id: UUID) -> Redemption:
    """Stop a redemption for good: what was taken off stays, nothing more is, and no credit gives
    anything back to it. One that has been stopped stays as it is.

    Refuses: `redemption_unknown`.
    """
    await lock_account(tx, (await redemption_by_id(tx, redemption_id)).account_id)
    redemption = await redemption_by_id(tx, redemption_id)
    if redemption.state is RedemptionState.ENDED:
        return redemption
    ended = replace(redemption, state=RedemptionState.ENDED)
    await update_redemptions(tx, [ended])
    tx.publish(
        PromotionEnded(
            subject_id=ended.id,
            account_id=ended.account_id,
            promotion_id=ended.promotion_id,
            code=ended.code,
            subscription_id=ended.subscription_id,
        )
    )
    tx.audit("promotion.end", subject_type="redemption", subject_id=ended.id)
    return ended
