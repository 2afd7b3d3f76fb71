"""What do tests of promotions start from? Redemptions and lines, in few words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from billwright.features.promotions.model import (
    Customers,
    Discountable,
    Duration,
    Promotion,
    PromotionId,
    PromotionKind,
    PromotionStatus,
    Redemption,
    RedemptionId,
)
from billwright.features.promotions.operations.create_promotion import (
    CreatePromotion,
    create_promotion,
)
from billwright.features.promotions.operations.redeem_promotion import (
    RedeemPromotion,
    redeem_promotion,
)
from billwright.features.promotions.rules.discounts import SECONDS_OF_DAY
from billwright.features.promotions.rules.new_redemption import new_redemption
from billwright.features.subscriptions.model import Subscription
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx
from tests.conftest import Tenant
from tests.features.billing import a_plan, a_subscription, an_account

START = datetime(2026, 1, 1, tzinfo=UTC)
WORTH: dict[PromotionKind, dict[str, Any]] = {
    PromotionKind.PERCENTAGE: {"percent": Decimal(20)},
    PromotionKind.FIXED_AMOUNT: {"amount_minor": 5000, "currency": "EUR"},
    PromotionKind.FREE_PERIODS: {"count": 2},
    PromotionKind.FREE_DAYS: {"count": 7},
}


def day(number: int) -> datetime:
    """The first instant of a day, counted from 0."""
    return START + timedelta(days=number)


def days(count: int) -> int:
    """Days in seconds."""
    return count * SECONDS_OF_DAY


def a_line(amount_minor: int, first: int = 0, last: int = 30) -> Discountable:
    """A recurring line whose service is from one day up to another."""
    return Discountable(amount_minor, True, day(first), day(last))


def once_off(amount_minor: int, at: int = 0) -> Discountable:
    """A line that is not recurring and has no duration."""
    return Discountable(amount_minor, False, day(at), day(at))


def promotion_of(kind: PromotionKind, **changes: Any) -> Promotion:
    """A promotion that everybody may redeem: 20 %, 50.00 EUR, 2 periods or 7 days."""
    values: dict[str, Any] = {
        "id": PromotionId(new_id()),
        "code": "SPRING",
        "name": "Spring",
        "status": PromotionStatus.ACTIVE,
        "kind": kind,
        "percent": None,
        "amount_minor": None,
        "currency": None,
        "count": None,
        "duration": Duration.ONCE,
        "duration_periods": None,
        "plan_codes": (),
        "customers": Customers.ANY,
        "minimum_minor": None,
        "maximum_redemptions": None,
        "maximum_per_account": None,
        "combinable": True,
        "redeemable_from": None,
        "redeemable_until": None,
        "redemptions": 0,
        "metadata": {},
        "version": 1,
        "created_at": START,
        "updated_at": START,
    }
    return Promotion(**{**values, **WORTH[kind], **changes})


def redeemed(kind: PromotionKind, *, at: datetime = START, **changes: Any) -> Redemption:
    """A fresh redemption of such a promotion."""
    return new_redemption(
        promotion_of(kind, **changes),
        redemption_id=RedemptionId(new_id()),
        account_id=new_id(),
        subscription_id=new_id(),
        at=at,
    )


async def a_promotion(
    tx: Tx, code: str = "SPRING", kind: PromotionKind = PromotionKind.PERCENTAGE, **changes: Any
) -> Promotion:
    """A promotion that is kept."""
    values: dict[str, Any] = {"code": code, "name": code.title(), "kind": kind, **WORTH[kind]}
    return await create_promotion(tx, CreatePromotion(**{**values, **changes}))


async def a_subscriber(tenant: Tenant) -> Subscription:
    """A new customer's subscription to a plan of its own."""
    async with tenant.tx() as tx:
        account = await an_account(tx)
        await a_plan(tx, f"plan-{account.number}")
        return (await a_subscription(tx, account, f"plan-{account.number}")).subscription


async def redeem(
    tx: Tx, subscription: Subscription, code: str = "SPRING", **changes: Any
) -> Redemption:
    """A subscription of a new customer to the plan `team` uses a promotion."""
    values: dict[str, Any] = {
        "code": code,
        "account_id": subscription.account_id,
        "subscription_id": subscription.id,
        "plan_code": "team",
        "currency": subscription.currency,
        "is_new_customer": True,
    }
    return await redeem_promotion(tx, RedeemPromotion(**{**values, **changes}))
