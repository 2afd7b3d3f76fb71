"""What does the database know of access?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from billwright.features.entitlements.model import Source
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


async def snapshot_version(tx: Tx, account_id: UUID) -> int:
    """How often an account's access has been computed; 0 when it never had any."""
    version: int | None = await tx.fetch_value(
        "select version from entitlement_snapshot where tenant_id = $1 and account_id = $2",
        tx.tenant_id,
        account_id,
    )
    return version or 0
