"""How does access change?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from billwright.features.entitlements.model import PeriodMove, Source
from billwright.runtime.db.tx import Tx


async def insert_source(tx: Tx, source: Source) -> None:
    """Note that a subscription gives its plan's features."""
    await tx.execute(
        """insert into entitlement_source (tenant_id, subscription_id, account_id,
               plan_version_id, period_start, period_end)
           values ($1, $2, $3, $4, $5, $6)""",
        tx.tenant_id,
        source.subscription_id,
        source.account_id,
        source.plan_version_id,
        source.period_start,
        source.period_end,
    )


async def delete_sources(tx: Tx, subscription_ids: Sequence[UUID]) -> None:
    """Note that subscriptions give nothing any more."""
    await tx.execute(
        """delete from entitlement_source
           where tenant_id = $1 and subscription_id = any($2::uuid[])""",
        tx.tenant_id,
        subscription_ids,
    )


async def update_periods(tx: Tx, moves: Sequence[PeriodMove]) -> None:
    """Let limits count in their new periods."""
    await tx.execute(
        """update entitlement_source s set period_start = m.starts, period_end = m.ends
           from unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) as m (id, starts, ends)
           where s.tenant_id = $1 and s.subscription_id = m.id""",
        tx.tenant_id,
        [move.subscription_id for move in moves],
        [move.period.start for move in moves],
        [move.period.end for move in moves],
    )


async def upsert_snapshots(tx: Tx, decisions: Mapping[UUID, str]) -> None:
    """Replace the snapshots of these accounts; the version grows by one."""
    await tx.execute(
        """insert into entitlement_snapshot (tenant_id, account_id, version, decisions, rebuilt_at)
           select $1, s.account_id, 1, s.decisions, $2
           from unnest($3::uuid[], $4::jsonb[]) as s (account_id, decisions)
           on conflict (tenant_id, account_id) do update
               set version = entitlement_snapshot.version + 1,
                   decisions = excluded.decisions,
                   rebuilt_at = excluded.rebuilt_at""",
        tx.tenant_id,
        tx.now,
        list(decisions),
        list(decisions.values()),
    )
