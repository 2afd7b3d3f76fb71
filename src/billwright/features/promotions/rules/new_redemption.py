"""What does a subscription have of a promotion that it has just redeemed?"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from billwright.features.promotions.model import (
    Duration,
    Promotion,
    PromotionKind,
    Redemption,
    RedemptionId,
    RedemptionState,
)
from billwright.features.promotions.rules.discounts import SECONDS_OF_DAY


def new_redemption(
    promotion: Promotion,
    *,
    redemption_id: RedemptionId,
    account_id: UUID,
    subscription_id: UUID,
    at: datetime,
) -> Redemption:
    """A use of which nothing is used yet."""
    is_days = promotion.kind is PromotionKind.FREE_DAYS
    return Redemption(
        id=redemption_id,
        promotion_id=promotion.id,
        account_id=account_id,
        subscription_id=subscription_id,
        code=promotion.code,
        name=promotion.name,
        kind=promotion.kind,
        percent=promotion.percent,
        amount_minor=promotion.amount_minor,
        currency=promotion.currency,
        minimum_minor=promotion.minimum_minor,
        duration=promotion.duration,
        state=RedemptionState.ACTIVE,
        remaining_minor=promotion.amount_minor,
        remaining_periods=_periods(promotion),
        remaining_seconds=(promotion.count or 0) * SECONDS_OF_DAY if is_days else None,
        last_period_start=None,
        redeemed_at=at,
        count=promotion.count,
    )


def _periods(promotion: Promotion) -> int | None:
    """How many periods it counts down; a fixed amount that is given once counts none."""
    match promotion.kind:
        case PromotionKind.FREE_PERIODS:
            return promotion.count
        case PromotionKind.FREE_DAYS:
            return None
        case PromotionKind.PERCENTAGE if promotion.duration is Duration.ONCE:
            return 1
        case _:
            return promotion.duration_periods
