"""How does access change?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from billwright.features.entitlements.model import Source
from billwright.runtime.db.tx import Tx


async def upsert_sources(tx: Tx, sources: Sequence[Source]) -> None:
    """Note what subscriptions give, and in which period limits count."""
    await tx.execute(
        """insert into entitlement_source (tenant_id, subscription_id, account_id,
               plan_version_id, period_start, period_end)
           select $1, s.* from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[],
                                      $6::timestamptz[]) as s
           on conflict (tenant_id, subscription_id) do update
               set plan_version_id = excluded.plan_version_id,
                   period_start = excluded.period_start, period_end = excluded.period_end""",
        tx.tenant_id,
        [source.subscription_id for source in sources],
        [source.account_id for source in sources],
        [source.plan_version_id for source in sources],
        [source.period_start for source in sources],
        [source.period_end for source in sources],
    )


async def delete_sources(tx: Tx, subscription_ids: Sequence[UUID]) -> None:
    """Note that subscriptions give nothing any more."""
    await tx.execute(
        """delete from entitlement_source
           where tenant_id = $1 and subscription_id = any($2::uuid[])""",
        tx.tenant_id,
        subscription_ids,
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
