"""What do we have of the refunds and disputes that a provider lists?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billwright.features.payments.rules.reconciliation import Window
from billwright.features.refunds.model import Refund, StoredDispute
from billwright.features.refunds.sql.reads import (
    DISPUTE_COLUMNS,
    REFUND_COLUMNS,
    dispute_from_row,
    refund_from_row,
)
from billwright.runtime.db.tx import Tx


async def refunds_known_as(
    tx: Tx, provider: str, *, keys: Sequence[str], references: Sequence[str]
) -> list[Refund]:
    """The refunds that a provider knows by one of our keys, or that we know by one of its references."""
    rows = await tx.fetch(
        f"""select {REFUND_COLUMNS} from (
                select id from refund where tenant_id = $1 and provider_key = any($3::text[])
                union
                select id from refund
                where tenant_id = $1 and provider_reference is not null
                    and provider_reference = any($4::text[])
            ) found
            join refund r on r.tenant_id = $1 and r.id = found.id
            where r.provider = $2 order by r.id""",
        tx.tenant_id,
        provider,
        keys,
        references,
    )
    return [refund_from_row(row) for row in rows]


async def given_back(
    tx: Tx, provider: str, *, window: Window, after: Refund | None, limit: int
) -> list[Refund]:
    """The refunds of a window of which the provider has said that it knows them and not that they have
    failed, the oldest first, `after` the one named.
    """
    rows = await tx.fetch(
        f"""select {REFUND_COLUMNS} from refund r
            where r.tenant_id = $1 and r.provider = $2 and r.state in ('processing', 'succeeded')
                and r.created_at >= $3 and r.created_at < $4 and (r.created_at, r.id) > ($5, $6)
            order by r.created_at, r.id limit $7""",
        tx.tenant_id,
        provider,
        window.since,
        window.until,
        window.since if after is None else after.created_at,
        UUID(int=0) if after is None else after.id,
        limit,
    )
    return [refund_from_row(row) for row in rows]


async def disputes_known_as(
    tx: Tx, provider: str, *, references: Sequence[str]
) -> list[StoredDispute]:
    """The disputes that a provider calls so."""
    rows = await tx.fetch(
        f"""select {DISPUTE_COLUMNS} from dispute d
            where d.tenant_id = $1 and d.provider = $2 and d.provider_reference = any($3::text[])""",
        tx.tenant_id,
        provider,
        references,
    )
    return [dispute_from_row(row) for row in rows]
