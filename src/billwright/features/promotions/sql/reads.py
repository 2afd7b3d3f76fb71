"""What does the database know of promotions?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from billwright.features.promotions.errors import promotion_unknown, redemption_unknown
from billwright.features.promotions.model import (
    Customers,
    Duration,
    Promotion,
    PromotionId,
    PromotionKind,
    PromotionStatus,
    Redemption,
    RedemptionState,
)
from billwright.features.promotions.rules.code import written_code
from billwright.features.promotions.rules.eligibility import ActivePromotion
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx

PROMOTION_COLUMNS = """p.id, p.code, p.name, p.status, p.kind, p.percent, p.amount_minor, p.currency,
    p.count, p.duration, p.duration_periods, p.plan_codes, p.customers, p.minimum_minor,
    p.maximum_redemptions, p.maximum_per_account, p.combinable, p.redeemable_from,
    p.redeemable_until, p.redemptions, p.metadata, p.version, p.created_at, p.updated_at"""

_REDEMPTION = """select r.id, r.promotion_id, r.account_id, r.subscription_id, p.code, p.name, p.kind,
        p.percent, p.amount_minor, p.currency, p.minimum_minor, p.duration, p.count, r.state,
        r.remaining_minor, r.remaining_periods, r.remaining_seconds, r.last_period_start,
        r.redeemed_at
    from redemption r join promotion p on p.tenant_id = r.tenant_id and p.id = r.promotion_id
    where r.tenant_id = $1"""


async def promotion_by_code(tx: Tx, code: str) -> Promotion:
    """One promotion, however its code is typed. Refuses: `promotion_unknown`."""
    row = await tx.fetch_row(
        f"select {PROMOTION_COLUMNS} from promotion p where p.tenant_id = $1 and p.code = $2",
        tx.tenant_id,
        written_code(code),
    )
    if row is None:
        raise promotion_unknown(promotion_code=code)
    return promotion_from_row(row)


async def list_promotions(
    tx: Tx, *, before: UUID | None, limit: int, status: PromotionStatus | None = None
) -> list[Promotion]:
    """Promotions, newest first, that come after the one named `before` in that order."""
    rows = await tx.fetch(
        f"""select {PROMOTION_COLUMNS} from promotion p
            where p.tenant_id = $1 and ($2::uuid is null or p.id < $2)
                and ($4::text is null or p.status = $4)
            order by p.id desc limit $3""",
        tx.tenant_id,
        before,
        limit,
        status.value if status else None,
    )
    return [promotion_from_row(row) for row in rows]


async def list_redemptions(
    tx: Tx, promotion_id: UUID, *, before: UUID | None, limit: int, account_id: UUID | None = None
) -> list[Redemption]:
    """Who has redeemed a promotion, newest first, after the one named `before` in that order."""
    rows = await tx.fetch(
        f"""{_REDEMPTION} and r.promotion_id = $2 and ($3::uuid is null or r.id < $3)
                and ($5::uuid is null or r.account_id = $5)
            order by r.id desc limit $4""",
        tx.tenant_id,
        promotion_id,
        before,
        limit,
        account_id,
    )
    return [_redemption_from_row(row) for row in rows]


async def redemptions_of(
    tx: Tx, subscription_ids: Sequence[UUID]
) -> dict[UUID, tuple[Redemption, ...]]:
    """The active promotions of many subscriptions, in one query; one that has none is left out."""
    rows = await tx.fetch(
        f"""{_REDEMPTION} and r.subscription_id = any($2::uuid[]) and r.state = 'active'
            order by r.redeemed_at, r.id""",
        tx.tenant_id,
        subscription_ids,
    )
    redemptions: dict[UUID, list[Redemption]] = defaultdict(list)
    for row in rows:
        redemptions[row["subscription_id"]].append(_redemption_from_row(row))
    return {subscription_id: tuple(some) for subscription_id, some in redemptions.items()}


async def redemptions_by_id(tx: Tx, redemption_ids: Sequence[UUID]) -> dict[UUID, Redemption]:
    """Many redemptions in one query, whatever their state."""
    rows = await tx.fetch(f"{_REDEMPTION} and r.id = any($2::uuid[])", tx.tenant_id, redemption_ids)
    return {row["id"]: _redemption_from_row(row) for row in rows}


async def redemption_by_id(tx: Tx, redemption_id: UUID) -> Redemption:
    """One redemption. Refuses: `redemption_unknown`."""
    redemptions = await redemptions_by_id(tx, [redemption_id])
    if redemption_id not in redemptions:
        raise redemption_unknown(redemption_id=redemption_id)
    return redemptions[redemption_id]


async def discounts_of_charges(
    tx: Tx, charge_ids: Sequence[UUID]
) -> dict[UUID, tuple[tuple[UUID, int], ...]]:
    """What was taken off charges, as pairs of redemption and minor units; one without is left out."""
    rows = await tx.fetch(
        """select charge_id, redemption_id, amount_minor from discount
           where tenant_id = $1 and charge_id = any($2::uuid[]) order by charge_id, redemption_id""",
        tx.tenant_id,
        charge_ids,
    )
    discounts: dict[UUID, list[tuple[UUID, int]]] = defaultdict(list)
    for row in rows:
        discounts[row["charge_id"]].append((row["redemption_id"], row["amount_minor"]))
    return {charge_id: tuple(some) for charge_id, some in discounts.items()}


async def count_of_account(tx: Tx, *, promotion_id: UUID, account_id: UUID) -> int:
    """How often an account has redeemed a promotion, for all its subscriptions."""
    count: int = await tx.fetch_value(
        """select count(*) from redemption
           where tenant_id = $1 and promotion_id = $2 and account_id = $3""",
        tx.tenant_id,
        promotion_id,
        account_id,
    )
    return count


async def active_promotions(tx: Tx, subscription_id: UUID) -> list[ActivePromotion]:
    """What a subscription has now."""
    rows = await tx.fetch(
        """select r.promotion_id, p.combinable
           from redemption r join promotion p on p.tenant_id = r.tenant_id and p.id = r.promotion_id
           where r.tenant_id = $1 and r.subscription_id = $2 and r.state = 'active'""",
        tx.tenant_id,
        subscription_id,
    )
    return [ActivePromotion(row["promotion_id"], row["combinable"]) for row in rows]


async def known_plan_codes(tx: Tx, plan_codes: Sequence[str]) -> set[str]:
    """Those of the codes that name a plan."""
    rows = await tx.fetch(
        "select code from plan where tenant_id = $1 and code = any($2::text[])",
        tx.tenant_id,
        plan_codes,
    )
    return {row["code"] for row in rows}


def promotion_from_row(row: asyncpg.Record) -> Promotion:
    """A promotion from a row that holds its columns."""
    return Promotion(
        id=PromotionId(row["id"]),
        code=row["code"],
        name=row["name"],
        status=PromotionStatus(row["status"]),
        kind=PromotionKind(row["kind"]),
        percent=row["percent"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        count=row["count"],
        duration=Duration(row["duration"]),
        duration_periods=row["duration_periods"],
        plan_codes=tuple(row["plan_codes"]),
        customers=Customers(row["customers"]),
        minimum_minor=row["minimum_minor"],
        maximum_redemptions=row["maximum_redemptions"],
        maximum_per_account=row["maximum_per_account"],
        combinable=row["combinable"],
        redeemable_from=row["redeemable_from"],
        redeemable_until=row["redeemable_until"],
        redemptions=row["redemptions"],
        metadata=from_json(row["metadata"]),
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _redemption_from_row(row: asyncpg.Record) -> Redemption:
    return Redemption(
        id=row["id"],
        promotion_id=row["promotion_id"],
        account_id=row["account_id"],
        subscription_id=row["subscription_id"],
        code=row["code"],
        name=row["name"],
        kind=PromotionKind(row["kind"]),
        percent=row["percent"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        minimum_minor=row["minimum_minor"],
        duration=Duration(row["duration"]),
        state=RedemptionState(row["state"]),
        remaining_minor=row["remaining_minor"],
        remaining_periods=row["remaining_periods"],
        remaining_seconds=row["remaining_seconds"],
        last_period_start=row["last_period_start"],
        redeemed_at=row["redeemed_at"],
        count=row["count"],
    )
