"""What does the database know of access?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from billwright.features.entitlements.model import Restriction, RestrictionEffect, Source
from billwright.runtime.db.tx import Tx


async def sources_of(tx: Tx, account_ids: Sequence[UUID]) -> dict[UUID, list[Source]]:
    """Every source of these accounts, oldest subscription first."""
    rows = await tx.fetch(
        """select subscription_id, account_id, plan_version_id, period_start, period_end
           from entitlement_source where tenant_id = $1 and account_id = any($2::uuid[])
           order by subscription_id""",
        tx.tenant_id,
        account_ids,
    )
    sources: dict[UUID, list[Source]] = defaultdict(list)
    for row in rows:
        sources[row["account_id"]].append(Source(*row))
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


async def snapshot_version(tx: Tx, account_id: UUID) -> int:
    """How often an account's access has been computed; 0 when it never had any."""
    version: int | None = await tx.fetch_value(
        "select version from entitlement_snapshot where tenant_id = $1 and account_id = $2",
        tx.tenant_id,
        account_id,
    )
    return version or 0
