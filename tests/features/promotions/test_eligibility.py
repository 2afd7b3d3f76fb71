"""Who may redeem a promotion?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from billwright.features.promotions.model import (
    Customers,
    Promotion,
    PromotionKind,
    PromotionStatus,
)
from billwright.features.promotions.rules.eligibility import (
    ActivePromotion,
    Candidate,
    require_eligible,
)
from billwright.kernel.ids import new_id
from billwright.kernel.refusal import Refusal
from tests.features.promotions.redeeming import day, promotion_of

NOW = day(1)
MICROSECOND = timedelta(microseconds=1)
WINDOW = {"redeemable_from": day(1), "redeemable_until": day(2)}
OTHER = ActivePromotion(new_id(), combinable=True)
ALONE = ActivePromotion(new_id(), combinable=False)


def a_promotion(**changes: Any) -> Promotion:
    return promotion_of(PromotionKind.PERCENTAGE, **changes)


def refusal_of(promotion: Promotion, at: datetime = NOW, **changes: Any) -> str | None:
    values: dict[str, Any] = {
        "plan_code": "team",
        "currency": "EUR",
        "is_new_customer": True,
        "redeemed": 0,
        "active": (),
    }
    try:
        require_eligible(promotion, Candidate(**{**values, **changes}), at=at)
    except Refusal as refusal:
        return refusal.code
    return None


@pytest.mark.parametrize(
    ("promotion", "changes"),
    [
        ({}, {}),
        (WINDOW, {"at": day(1)}),
        (WINDOW, {"at": day(2) - MICROSECOND}),
        ({"plan_codes": ("solo", "team")}, {}),
        ({"currency": "EUR"}, {}),
        ({"customers": Customers.NEW}, {}),
        ({"customers": Customers.EXISTING}, {"is_new_customer": False}),
        ({"maximum_redemptions": 2, "redemptions": 1}, {}),
        ({"maximum_per_account": 2}, {"redeemed": 1}),
        ({}, {"active": (OTHER,)}),
        ({"combinable": False}, {}),
    ],
)
def test_who_meets_every_restriction_may(promotion, changes):
    assert refusal_of(a_promotion(**promotion), **changes) is None


@pytest.mark.parametrize(
    ("promotion", "changes", "code"),
    [
        ({"status": PromotionStatus.ARCHIVED}, {}, "promotion_archived"),
        (WINDOW, {"at": day(1) - MICROSECOND}, "promotion_not_begun"),
        (WINDOW, {"at": day(2)}, "promotion_over"),
        ({"plan_codes": ("solo",)}, {}, "promotion_not_for_plan"),
        ({"currency": "USD"}, {}, "promotion_not_for_currency"),
        ({"customers": Customers.NEW}, {"is_new_customer": False}, "promotion_not_for_customer"),
        ({"customers": Customers.EXISTING}, {}, "promotion_not_for_customer"),
        ({"maximum_redemptions": 2, "redemptions": 2}, {}, "promotion_used_up"),
        ({"maximum_per_account": 2}, {"redeemed": 2}, "promotion_used_up_by_account"),
        ({"combinable": False}, {"active": (OTHER,)}, "promotion_not_combinable"),
        ({}, {"active": (OTHER, ALONE)}, "promotion_not_combinable"),
    ],
)
def test_everybody_else_is_told_why_not(promotion, changes, code):
    assert refusal_of(a_promotion(**promotion), **changes) == code


def test_a_subscription_has_a_promotion_once_at_a_time():
    promotion = a_promotion()
    active = ActivePromotion(promotion.id, combinable=True)
    assert refusal_of(promotion, active=(active,)) == "promotion_redeemed_already"
