"""What does the database know of access?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billwright.features.entitlements.model import (
    Granted,
    Restriction,
    RestrictionEffect,
    Snapshot,
    Source,
)
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx


async def sources_of(tx: Tx, account_ids: Sequence[UUID]) -> dict[UUID, list[Source]]:
    """Every source of these accounts, oldest subscription first."""
    rows = await tx.fetch(
        """select subscription_id, account_id, plan_version_id, period_start, period_end, add_ons
           from entitlement_source where tenant_id = $1 and account_id = any($2::uuid[])
           order by subscription_id""",
        tx.tenant_id,
        account_ids,
    )
    sources: dict[UUID, list[Source]] = defaultdict(list)
    for subscription_id, account_id, version_id, start, end, add_ons in rows:
        sources[account_id].append(
            Source(
                subscription_id,
                account_id,
                version_id,
                start,
                end,
                {code: Decimal(units) for code, units in from_json(add_ons).items()},
            )
        )
    return sources


async def restrictions_of(tx: Tx, account_ids: Sequence[UUID]) -> dict[UUID, list[Restriction]]:
    """Every restriction of these accounts."""
    rows = await tx.fetch(
        """select cause_id, account_id, subscription_id, effect, features
           from entitlement_restriction
           where tenant_id = $1 and account_id = any($2::uuid[])""",
        tx.tenant_id,
        account_ids,
    )
    restrictions: dict[UUID, list[Restriction]] = defaultdict(list)
    for row in rows:
        restrictions[row["account_id"]].append(
            Restriction(
                cause_id=row["cause_id"],
                account_id=row["account_id"],
                subscription_id=row["subscription_id"],
                effect=RestrictionEffect(row["effect"]),
                features=tuple(row["features"]),
            )
        )
    return restrictions


async def granted_to(
    tx: Tx, account_ids: Sequence[UUID], *, after: datetime
) -> dict[UUID, list[Granted]]:
    """Every grant of these accounts that is in force at an instant or will be later."""
    rows = await tx.fetch(
        """select a.account_id, p.feature_code, p.subscription_id, a.effective_at, a.expires_at
           from entitlement_allotment a
           join entitlement_pool p on p.tenant_id = a.tenant_id and p.id = a.pool_id
           where a.tenant_id = $1 and a.account_id = any($2::uuid[]) and a.kind = 'grant'
               and a.voided_at is null and (a.expires_at is null or a.expires_at > $3)""",
        tx.tenant_id,
        account_ids,
        after,
    )
    granted: dict[UUID, list[Granted]] = defaultdict(list)
    for row in rows:
        granted[row["account_id"]].append(
            Granted(
                feature=row["feature_code"],
                subscription_id=row["subscription_id"],
                effective_at=row["effective_at"],
                ends_at=row["expires_at"],
            )
        )
    return granted


async def accounts_with_pools(tx: Tx, account_ids: Sequence[UUID]) -> list[UUID]:
    """Those of these accounts whose usage is counted against anything."""
    rows = await tx.fetch(
        """select i.id from unnest($2::uuid[]) as i (id)
           where exists (select from entitlement_pool p
               where p.tenant_id = $1 and p.account_id = i.id and p.closed_at is null)""",
        tx.tenant_id,
        account_ids,
    )
    return [row["id"] for row in rows]


async def current_epoch(tx: Tx) -> int:
    """How often something has changed that all accounts depend on."""
    number: int | None = await tx.fetch_value(
        "select number from entitlement_epoch where tenant_id = $1", tx.tenant_id
    )
    return number or 0


async def snapshot_if_fresh(tx: Tx, account_id: UUID) -> Snapshot | None:
    """An account's snapshot; none where it is to be made anew, by the account's own time."""
    row = await tx.fetch_row(
        """select s.version, s.decisions, s.epoch, s.valid_until, s.test_clock_id
           from entitlement_snapshot s
           left join entitlement_epoch e on e.tenant_id = s.tenant_id
           left join test_clock c on c.tenant_id = s.tenant_id and c.id = s.test_clock_id
           where s.tenant_id = $1 and s.account_id = $2 and s.epoch = coalesce(e.number, 0)
               and (s.valid_until is null or s.valid_until > coalesce(c.now, $3))""",
        tx.tenant_id,
        account_id,
        tx.now,
    )
    if row is None:
        return None
    return Snapshot(account_id=account_id, **row)


async def snapshot_version(tx: Tx, account_id: UUID) -> int:
    """How often an account's access has been computed; 0 when it never had any."""
    version: int | None = await tx.fetch_value(
        "select version from entitlement_snapshot where tenant_id = $1 and account_id = $2",
        tx.tenant_id,
        account_id,
    )
    return version or 0
