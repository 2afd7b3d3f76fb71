"""How does what is known of a promotion change?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypedDict

from billwright.features.promotions.errors import promotion_stale, promotion_unknown
from billwright.features.promotions.events import PromotionUpdated
from billwright.features.promotions.model import Promotion
from billwright.features.promotions.rules.code import written_code
from billwright.features.promotions.rules.terms import check_limits
from billwright.features.promotions.sql.writes import lock_promotion, update_promotion_row
from billwright.runtime.db.tx import Tx


class PromotionChanges(TypedDict, total=False):
    """What may change; what is not named stays. What it is worth was promised and does not change."""

    name: str
    maximum_redemptions: int | None
    maximum_per_account: int | None
    redeemable_from: datetime | None
    redeemable_until: datetime | None
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePromotion:
    """Change some fields of a promotion; metadata is replaced as a whole."""

    code: str
    changes: PromotionChanges
    expected_version: int | None = None


async def update_promotion(tx: Tx, command: UpdatePromotion) -> Promotion:
    """Change who may still redeem a promotion; who has redeemed it keeps it.

    A command that changes nothing leaves nothing behind. Refuses: `promotion_unknown`, `promotion_stale`,
    `promotion_term_out_of_range`, `promotion_maximum_too_low`, `promotion_window_empty`.
    """
    promotion = await lock_promotion(tx, written_code(command.code))
    if promotion is None:
        raise promotion_unknown(promotion_code=command.code)
    if command.expected_version not in {None, promotion.version}:
        raise promotion_stale(
            promotion_code=promotion.code,
            expected=command.expected_version,
            actual=promotion.version,
        )
    asked = replace(promotion, **command.changes)
    check_limits(asked)
    changed = sorted(
        name
        for name in PromotionChanges.__annotations__
        if getattr(asked, name) != getattr(promotion, name)
    )
    if not changed:
        return promotion
    updated = replace(asked, version=promotion.version + 1, updated_at=tx.now)
    await update_promotion_row(tx, updated)
    tx.publish(
        PromotionUpdated(
            subject_id=updated.id, account_id=None, code=updated.code, changed=tuple(changed)
        )
    )
    tx.audit(
        "promotion.update",
        subject_type="promotion",
        subject_id=updated.id,
        details={"changed": {name: getattr(updated, name) for name in changed}},
    )
    return updated
