"""How does a promotion come to be?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from billwright.features.catalog.errors import plan_reference_unknown
from billwright.features.promotions.errors import promotion_code_taken
from billwright.features.promotions.events import PromotionCreated
from billwright.features.promotions.model import (
    Customers,
    Duration,
    Promotion,
    PromotionId,
    PromotionKind,
    PromotionStatus,
)
from billwright.features.promotions.rules.code import checked_code
from billwright.features.promotions.rules.terms import check_terms
from billwright.features.promotions.sql.reads import known_plan_codes
from billwright.features.promotions.sql.writes import insert_promotion
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePromotion:
    """An offer; which of `percent`, `amount_minor` and `count` it has, its kind says."""

    code: str
    name: str
    kind: PromotionKind
    percent: Decimal | None = None
    amount_minor: int | None = None
    currency: str | None = None
    count: int | None = None
    duration: Duration = Duration.ONCE
    duration_periods: int | None = None
    plan_codes: tuple[str, ...] = ()
    customers: Customers = Customers.ANY
    minimum_minor: int | None = None
    maximum_redemptions: int | None = None
    maximum_per_account: int | None = None
    combinable: bool = True
    redeemable_from: datetime | None = None
    redeemable_until: datetime | None = None
    metadata: dict[str, str] = field(default_factory=dict)


async def create_promotion(tx: Tx, command: CreatePromotion) -> Promotion:
    """Create a promotion.

    Refuses: `promotion_code_invalid`, `promotion_code_taken`, `plan_unknown_here`,
    `promotion_term_missing`, `promotion_term_unfit`, `promotion_term_out_of_range`,
    `promotion_percent_too_fine`, `promotion_duration_unfit`,
    `promotion_duration_periods_mismatch`, `promotion_currency_missing`, `currency_unknown`,
    `promotion_window_empty`.
    """
    promotion = _new_promotion(tx, command)
    check_terms(promotion)
    await _require_plans(tx, promotion.plan_codes)
    if not await insert_promotion(tx, promotion):
        raise promotion_code_taken(promotion_code=promotion.code)
    tx.publish(
        PromotionCreated(
            subject_id=promotion.id,
            account_id=None,
            code=promotion.code,
            name=promotion.name,
            kind=promotion.kind.value,
        )
    )
    tx.audit("promotion.create", subject_type="promotion", subject_id=promotion.id, details=command)
    return promotion


async def _require_plans(tx: Tx, plan_codes: tuple[str, ...]) -> None:
    known = await known_plan_codes(tx, plan_codes) if plan_codes else set()
    for index, plan_code in enumerate(plan_codes):
        if plan_code not in known:
            raise plan_reference_unknown(pointer=f"/plan_codes/{index}", plan_code=plan_code)


def _new_promotion(tx: Tx, command: CreatePromotion) -> Promotion:
    return Promotion(
        id=PromotionId(new_id()),
        code=checked_code(command.code),
        name=command.name,
        status=PromotionStatus.ACTIVE,
        kind=command.kind,
        percent=command.percent,
        amount_minor=command.amount_minor,
        currency=command.currency,
        count=command.count,
        duration=command.duration,
        duration_periods=command.duration_periods,
        plan_codes=command.plan_codes,
        customers=command.customers,
        minimum_minor=command.minimum_minor,
        maximum_redemptions=command.maximum_redemptions,
        maximum_per_account=command.maximum_per_account,
        combinable=command.combinable,
        redeemable_from=command.redeemable_from,
        redeemable_until=command.redeemable_until,
        redemptions=0,
        metadata=command.metadata,
        version=1,
        created_at=tx.now,
        updated_at=tx.now,
    )
