"""May this account redeem a promotion for this subscription?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billwright.features.promotions.errors import (
    promotion_archived,
    promotion_not_begun,
    promotion_not_combinable,
    promotion_not_for_currency,
    promotion_not_for_customer,
    promotion_not_for_plan,
    promotion_over,
    promotion_redeemed_already,
    promotion_used_up,
    promotion_used_up_by_account,
)
from billwright.features.promotions.model import Customers, Promotion, PromotionStatus


@dataclass(frozen=True, slots=True)
class ActivePromotion:
    """A promotion that the subscription has now."""

    promotion_id: UUID
    combinable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Who wants to redeem: `redeemed` is how often the account has redeemed the promotion before,
    `active` what the subscription has.
    """

    plan_code: str
    currency: str
    is_new_customer: bool
    redeemed: int
    active: Sequence[ActivePromotion]


def require_eligible(promotion: Promotion, candidate: Candidate, *, at: datetime) -> None:
    """Accept a candidate that meets every restriction at the instant.

    Refuses: `promotion_archived`, `promotion_not_begun`, `promotion_over`,
    `promotion_not_for_plan`, `promotion_not_for_currency`, `promotion_not_for_customer`,
    `promotion_used_up`, `promotion_used_up_by_account`, `promotion_redeemed_already`,
    `promotion_not_combinable`.
    """
    _require_open(promotion, at)
    _require_fit(promotion, candidate)
    _require_left(promotion, candidate)
    _require_combinable(promotion, candidate)


def _require_open(promotion: Promotion, at: datetime) -> None:
    code = promotion.code
    if promotion.status is PromotionStatus.ARCHIVED:
        raise promotion_archived(promotion_code=code)
    begins_at, until = promotion.redeemable_from, promotion.redeemable_until
    if begins_at is not None and at < begins_at:
        raise promotion_not_begun(promotion_code=code, redeemable_from=begins_at.isoformat())
    if until is not None and at >= until:
        raise promotion_over(promotion_code=code, redeemable_until=until.isoformat())


def _require_fit(promotion: Promotion, candidate: Candidate) -> None:
    code = promotion.code
    if promotion.plan_codes and candidate.plan_code not in promotion.plan_codes:
        raise promotion_not_for_plan(promotion_code=code, plan_code=candidate.plan_code)
    if promotion.currency not in {None, candidate.currency}:
        raise promotion_not_for_currency(
            promotion_code=code, expected=promotion.currency, currency=candidate.currency
        )
    is_wanted = {
        Customers.ANY: True,
        Customers.NEW: candidate.is_new_customer,
        Customers.EXISTING: not candidate.is_new_customer,
    }
    if not is_wanted[promotion.customers]:
        raise promotion_not_for_customer(promotion_code=code, customers=promotion.customers.value)


def _require_left(promotion: Promotion, candidate: Candidate) -> None:
    code, maximum = promotion.code, promotion.maximum_redemptions
    if maximum is not None and promotion.redemptions >= maximum:
        raise promotion_used_up(promotion_code=code, maximum=maximum)
    maximum = promotion.maximum_per_account
    if maximum is not None and candidate.redeemed >= maximum:
        raise promotion_used_up_by_account(promotion_code=code, maximum=maximum)


def _require_combinable(promotion: Promotion, candidate: Candidate) -> None:
    if any(active.promotion_id == promotion.id for active in candidate.active):
        raise promotion_redeemed_already(promotion_code=promotion.code)
    combinable = [promotion.combinable, *(active.combinable for active in candidate.active)]
    if candidate.active and not all(combinable):
        raise promotion_not_combinable(promotion_code=promotion.code)
