"""How does a subscription that exists get a promotion?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.promotions.operations.redeem_promotion import (
    RedeemPromotion,
    redeem_promotion,
)
from billwright.features.subscriptions.model import Commanded
from billwright.features.subscriptions.operations.open_subscription import open_subscription
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemCode:
    """Use a promotion's code for a subscription."""

    subscription_id: UUID
    promotion_code: str
    expected_version: int | None = None


async def redeem_code(tx: Tx, command: RedeemCode) -> Commanded:
    """Redeem a promotion: it takes off from what is charged next. Who has a subscription is no new
    customer.

    Refuses: `subscription_unknown`, `version_stale`, `account_parked`, `state_forbids`, and what
    `redeem_promotion` refuses.
    """
    opened = await open_subscription(
        tx, command.subscription_id, expected_version=command.expected_version
    )
    tx.audit(
        "subscription.redeem_code",
        subject_type="subscription",
        subject_id=command.subscription_id,
        details=command,
    )
    subscription = opened.subscription
    LIFECYCLE.next(subscription.state, Action.REDEEM)
    versions = await plan_versions(tx, [subscription.plan_version_id])
    version = versions[subscription.plan_version_id]
    await redeem_promotion(
        tx,
        RedeemPromotion(
            code=command.promotion_code,
            account_id=subscription.account_id,
            subscription_id=subscription.id,
            plan_code=version.plan_code,
            currency=subscription.currency,
            is_new_customer=False,
        ),
    )
    return Commanded(subscription, version, opened.billed)
