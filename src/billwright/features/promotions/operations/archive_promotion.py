"""How does an offer stop?"""

from __future__ import annotations

from dataclasses import replace

from billwright.features.promotions.errors import promotion_stale, promotion_unknown
from billwright.features.promotions.events import PromotionArchived
from billwright.features.promotions.model import Promotion, PromotionStatus
from billwright.features.promotions.rules.code import written_code
from billwright.features.promotions.sql.writes import lock_promotion, update_promotion_row
from billwright.runtime.db.tx import Tx


async def archive_promotion(tx: Tx, code: str, *, expected_version: int | None = None) -> Promotion:
    """Let nobody redeem a promotion any more; who has redeemed it keeps it. One that is archived
    stays as it is.

    Refuses: `promotion_unknown`, `promotion_stale`.
    """
    promotion = await lock_promotion(tx, written_code(code))
    if promotion is None:
        raise promotion_unknown(promotion_code=code)
    if expected_version not in {None, promotion.version}:
        raise promotion_stale(
            promotion_code=promotion.code,
            expected=expected_version,
            actual=promotion.version,
        )
    if promotion.status is PromotionStatus.ARCHIVED:
        return promotion
    archived = replace(
        promotion,
        status=PromotionStatus.ARCHIVED,
        version=promotion.version + 1,
        updated_at=tx.now,
    )
    await update_promotion_row(tx, archived)
    tx.publish(PromotionArchived(subject_id=archived.id, account_id=None, code=archived.code))
    tx.audit("promotion.archive", subject_type="promotion", subject_id=archived.id)
    return archived
