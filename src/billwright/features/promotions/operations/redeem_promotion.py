"""How does a subscription get a promotion?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billwright.features.promotions.errors import promotion_reference_unknown
from billwright.features.promotions.events import PromotionRedeemed
from billwright.features.promotions.model import Redemption, RedemptionId
from billwright.features.promotions.rules.code import written_code
from billwright.features.promotions.rules.eligibility import Candidate, require_eligible
from billwright.features.promotions.rules.new_redemption import new_redemption
from billwright.features.promotions.sql.reads import active_promotions, count_of_account
from billwright.features.promotions.sql.writes import (
    count_redemption,
    insert_redemption,
    lock_promotion,
)
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemPromotion:
    """Use a promotion for a subscription, which exists and has this plan and currency.

    `is_new_customer` is a fact that the caller knows: nothing was sold to the account before.
    """

    code: str
    account_id: UUID
    subscription_id: UUID
    plan_code: str
    currency: str
    is_new_customer: bool


async def redeem_promotion(
    tx: Tx, command: RedeemPromotion, *, pointer: str = "/promotion_code"
) -> Redemption:
    """Give a subscription a promotion, from the next computation of its charges on.

    The caller has locked the account; one that redeems several codes does so in their order, so that
    no two wait for each other. `pointer` is where the request has the code. Refuses:
    `promotion_unknown_here`, `promotion_archived`, `promotion_not_begun`, `promotion_over`,
    `promotion_not_for_plan`, `promotion_not_for_currency`, `promotion_not_for_customer`,
    `promotion_used_up`, `promotion_used_up_by_account`, `promotion_redeemed_already`,
    `promotion_not_combinable`.
    """
    promotion = await lock_promotion(tx, written_code(command.code))
    if promotion is None:
        raise promotion_reference_unknown(pointer=pointer, promotion_code=command.code)
    candidate = Candidate(
        plan_code=command.plan_code,
        currency=command.currency,
        is_new_customer=command.is_new_customer,
        redeemed=await count_of_account(
            tx, promotion_id=promotion.id, account_id=command.account_id
        ),
        active=await active_promotions(tx, command.subscription_id),
    )
    require_eligible(promotion, candidate, at=tx.now)
    redemption = new_redemption(
        promotion,
        redemption_id=RedemptionId(new_id()),
        account_id=command.account_id,
        subscription_id=command.subscription_id,
        at=tx.now,
    )
    await insert_redemption(tx, redemption)
    await count_redemption(tx, promotion.id)
    tx.publish(
        PromotionRedeemed(
            subject_id=redemption.id,
            account_id=redemption.account_id,
            promotion_id=promotion.id,
            code=promotion.code,
            subscription_id=redemption.subscription_id,
        )
    )
    tx.audit(
        "promotion.redeem", subject_type="redemption", subject_id=redemption.id, details=command
    )
    return redemption
