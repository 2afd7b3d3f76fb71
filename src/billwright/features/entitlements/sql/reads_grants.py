"""What does the database know of grants?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from billwright.features.entitlements.errors import grant_unknown
from billwright.features.entitlements.model import Allotment
from billwright.features.entitlements.sql.reads_pools import ALLOTMENT_COLUMNS, allotment_from_row
from billwright.runtime.db.tx import Tx

_GRANT = f"""select {ALLOTMENT_COLUMNS}, p.feature_code, p.subscription_id, c.now as clock_now
    from entitlement_allotment a
    join entitlement_pool p on p.tenant_id = a.tenant_id and p.id = a.pool_id
    join account o on o.tenant_id = a.tenant_id and o.id = a.account_id
    left join test_clock c on c.tenant_id = a.tenant_id and c.id = o.test_clock_id
    where a.tenant_id = $1 and a.kind = 'grant'"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptGrant:
    """A grant with what it is of, whose it is, and the account's own time."""

    allotment: Allotment
    feature: str
    subscription_id: UUID | None
    now: datetime


async def grant_by_id(tx: Tx, grant_id: UUID) -> KeptGrant:
    """One grant. Refuses: `entitlement_grant_unknown`."""
    row = await tx.fetch_row(f"{_GRANT} and a.id = $2", tx.tenant_id, grant_id)
    if row is None:
        raise grant_unknown(grant_id=grant_id)
    return _grant_from_row(tx, row)


async def list_grants(
    tx: Tx,
    account_id: UUID,
    *,
    before: UUID | None,
    limit: int,
    feature: str | None = None,
    subscription_id: UUID | None = None,
    in_force_at: datetime | None = None,
) -> list[KeptGrant]:
    """An account's grants, newest first, after the one named `before` in that order."""
    rows = await tx.fetch(
        f"""{_GRANT} and a.account_id = $2 and ($3::uuid is null or a.id < $3)
                and ($5::text is null or p.feature_code = $5)
                and ($6::uuid is null or p.subscription_id = $6)
                and ($7::timestamptz is null or (a.effective_at <= $7
                    and coalesce(a.expires_at, 'infinity') > $7
                    and coalesce(a.voided_at, 'infinity') > $7))
            order by a.id desc limit $4""",
        tx.tenant_id,
        account_id,
        before,
        limit,
        feature,
        subscription_id,
        in_force_at,
    )
    return [_grant_from_row(tx, row) for row in rows]


def _grant_from_row(tx: Tx, row: asyncpg.Record) -> KeptGrant:
    return KeptGrant(
        allotment=allotment_from_row(row),
        feature=row["feature_code"],
        subscription_id=row["subscription_id"],
        now=row["clock_now"] or tx.now,
    )
