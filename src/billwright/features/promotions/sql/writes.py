"""How do promotions and their uses change?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billwright.features.promotions.model import Discount, Promotion, Redemption
from billwright.features.promotions.sql.reads import PROMOTION_COLUMNS, promotion_from_row
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx


async def insert_promotion(tx: Tx, promotion: Promotion) -> bool:
    """Store a new promotion; false when its code is taken."""
    inserted = await tx.insert(
        "promotion",
        [
            {
                **_changeable(promotion),
                "id": promotion.id,
                "code": promotion.code,
                "kind": promotion.kind,
                "percent": promotion.percent,
                "amount_minor": promotion.amount_minor,
                "currency": promotion.currency,
                "count": promotion.count,
                "duration": promotion.duration,
                "duration_periods": promotion.duration_periods,
                "plan_codes": promotion.plan_codes,
                "customers": promotion.customers,
                "minimum_minor": promotion.minimum_minor,
                "combinable": promotion.combinable,
                "redemptions": promotion.redemptions,
                "created_at": promotion.created_at,
            }
        ],
        on_conflict="on conflict do nothing",
    )
    return inserted == 1


async def lock_promotion(tx: Tx, code: str) -> Promotion | None:
    """A promotion by its code, locked until the commit, so that its uses are counted exactly."""
    row = await tx.fetch_row(
        f"""select {PROMOTION_COLUMNS} from promotion p where p.tenant_id = $1 and p.code = $2
            for no key update""",
        tx.tenant_id,
        code,
    )
    return None if row is None else promotion_from_row(row)


async def update_promotion_row(tx: Tx, promotion: Promotion) -> None:
    """Store what may change of a promotion that the caller has locked."""
    await tx.execute(
        """update promotion p
           set name = u.name, status = u.status, maximum_redemptions = u.maximum_redemptions,
               maximum_per_account = u.maximum_per_account, redeemable_from = u.redeemable_from,
               redeemable_until = u.redeemable_until, metadata = u.metadata, version = u.version,
               updated_at = u.updated_at
           from json_populate_record(null::promotion, $3::json) as u
           where p.tenant_id = $1 and p.id = $2""",
        tx.tenant_id,
        promotion.id,
        to_json(_changeable(promotion)),
    )


async def count_redemption(tx: Tx, promotion_id: UUID) -> None:
    """Count one more use of a promotion that the caller has locked."""
    await tx.execute(
        "update promotion set redemptions = redemptions + 1 where tenant_id = $1 and id = $2",
        tx.tenant_id,
        promotion_id,
    )


async def insert_redemption(tx: Tx, redemption: Redemption) -> None:
    """Store a new use."""
    await tx.insert(
        "redemption",
        [
            {
                **_remaining(redemption),
                "promotion_id": redemption.promotion_id,
                "account_id": redemption.account_id,
                "subscription_id": redemption.subscription_id,
                "redeemed_at": redemption.redeemed_at,
                "updated_at": redemption.redeemed_at,
            }
        ],
    )


async def update_redemptions(tx: Tx, redemptions: Sequence[Redemption]) -> set[UUID]:
    """Store what is left of redemptions, many in one statement; returns those that it exhausted.

    Their accounts are locked, so that a row that is missing is a bug.
    """
    rows = await tx.fetch(
        """with before as (select id, state from redemption
                           where tenant_id = $1 and id = any($2::uuid[]))
           update redemption r
           set state = u.state, remaining_minor = u.remaining_minor,
               remaining_periods = u.remaining_periods, remaining_seconds = u.remaining_seconds,
               last_period_start = u.last_period_start, updated_at = $3
           from json_populate_recordset(null::redemption, $4::json) as u
           join before b on b.id = u.id
           where r.tenant_id = $1 and r.id = u.id
           returning r.id, r.state = 'exhausted' and b.state <> 'exhausted' as exhausted""",
        tx.tenant_id,
        [redemption.id for redemption in redemptions],
        tx.now,
        to_json([_remaining(redemption) for redemption in redemptions]),
    )
    if len(rows) != len(redemptions):
        raise RuntimeError(f"{len(redemptions)} redemptions were to change, {len(rows)} did")
    return {row["id"] for row in rows if row["exhausted"]}


async def insert_discounts(tx: Tx, discounts: Sequence[Discount]) -> None:
    """Store what was taken off charges that exist."""
    await tx.insert(
        "discount",
        [
            {
                "charge_id": discount.charge_id,
                "redemption_id": discount.redemption_id,
                "amount_minor": discount.amount_minor,
                "created_at": tx.now,
            }
            for discount in discounts
        ],
    )


def _changeable(promotion: Promotion) -> dict[str, object]:
    return {
        "name": promotion.name,
        "status": promotion.status,
        "maximum_redemptions": promotion.maximum_redemptions,
        "maximum_per_account": promotion.maximum_per_account,
        "redeemable_from": promotion.redeemable_from,
        "redeemable_until": promotion.redeemable_until,
        "metadata": promotion.metadata,
        "version": promotion.version,
        "updated_at": promotion.updated_at,
    }


def _remaining(redemption: Redemption) -> dict[str, object]:
    return {
        "id": redemption.id,
        "state": redemption.state,
        "remaining_minor": redemption.remaining_minor,
        "remaining_periods": redemption.remaining_periods,
        "remaining_seconds": redemption.remaining_seconds,
        "last_period_start": redemption.last_period_start,
    }
