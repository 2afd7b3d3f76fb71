"""How does access change?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from billwright.features.entitlements.model import Restriction, Snapshot, Source
from billwright.kernel.ids import new_id
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx


class NewSnapshot(NamedTuple):
    """What a snapshot is to say, as `Snapshot` has it."""

    account_id: UUID
    decisions: str
    valid_until: datetime | None
    test_clock_id: UUID | None


async def upsert_sources(tx: Tx, sources: Sequence[Source]) -> None:
    """Note what subscriptions give, and in which period limits count."""
    await tx.execute(
        """insert into entitlement_source (tenant_id, subscription_id, account_id,
               plan_version_id, period_start, period_end, add_ons)
           select $1, s.* from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[],
                                      $6::timestamptz[], $7::jsonb[]) as s
           on conflict (tenant_id, subscription_id) do update
               set plan_version_id = excluded.plan_version_id,
                   period_start = excluded.period_start, period_end = excluded.period_end,
                   add_ons = excluded.add_ons""",
        tx.tenant_id,
        [source.subscription_id for source in sources],
        [source.account_id for source in sources],
        [source.plan_version_id for source in sources],
        [source.period_start for source in sources],
        [source.period_end for source in sources],
        [to_json(source.add_ons) for source in sources],
    )


async def update_periods(tx: Tx, sources: Sequence[Source]) -> None:
    """Note in which period limits count from now on."""
    await tx.execute(
        """update entitlement_source s set period_start = n.period_start, period_end = n.period_end
           from unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[])
               as n (subscription_id, period_start, period_end)
           where s.tenant_id = $1 and s.subscription_id = n.subscription_id""",
        tx.tenant_id,
        [source.subscription_id for source in sources],
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


async def upsert_restrictions(tx: Tx, restrictions: Sequence[Restriction]) -> None:
    """Note restrictions, each in place of the one that its cause had for the same access."""
    await tx.execute(
        """insert into entitlement_restriction (tenant_id, id, cause_id, account_id, subscription_id,
               effect, features, since)
           select $1, r.id, r.cause_id, r.account_id, r.subscription_id, r.effect, r.features, $2
           from json_populate_recordset(null::entitlement_restriction, $3::json) as r
           on conflict (tenant_id, cause_id, subscription_id) do update
               set effect = excluded.effect, features = excluded.features, since = excluded.since""",
        tx.tenant_id,
        tx.now,
        to_json(
            [
                {
                    "id": new_id(),
                    "cause_id": one.cause_id,
                    "account_id": one.account_id,
                    "subscription_id": one.subscription_id,
                    "effect": one.effect,
                    "features": one.features,
                }
                for one in restrictions
            ]
        ),
    )


async def delete_restrictions(tx: Tx, cause_id: UUID) -> list[UUID]:
    """Forget what a cause restricted; returns the accounts."""
    rows = await tx.fetch(
        """delete from entitlement_restriction where tenant_id = $1 and cause_id = $2
           returning account_id""",
        tx.tenant_id,
        cause_id,
    )
    return list({row["account_id"] for row in rows})


async def upsert_snapshots(tx: Tx, made: Sequence[NewSnapshot], *, epoch: int) -> list[Snapshot]:
    """Replace the snapshots of these accounts; the version grows by one."""
    rows = await tx.fetch(
        """insert into entitlement_snapshot (tenant_id, account_id, version, decisions, rebuilt_at,
               epoch, valid_until, test_clock_id)
           select $1, s.account_id, 1, s.decisions, $2, $3, s.valid_until, s.test_clock_id
           from unnest($4::uuid[], $5::jsonb[], $6::timestamptz[], $7::uuid[])
               as s (account_id, decisions, valid_until, test_clock_id)
           on conflict (tenant_id, account_id) do update
               set version = entitlement_snapshot.version + 1,
                   decisions = excluded.decisions,
                   rebuilt_at = excluded.rebuilt_at,
                   epoch = excluded.epoch,
                   valid_until = excluded.valid_until,
                   test_clock_id = excluded.test_clock_id
           returning account_id, version""",
        tx.tenant_id,
        tx.now,
        epoch,
        [one.account_id for one in made],
        [one.decisions for one in made],
        [one.valid_until for one in made],
        [one.test_clock_id for one in made],
    )
    versions = {row["account_id"]: row["version"] for row in rows}
    return [
        Snapshot(version=versions[one.account_id], epoch=epoch, **one._asdict()) for one in made
    ]


async def advance_epoch(tx: Tx) -> None:
    """Let every snapshot of the tenant be made anew when it is next asked for."""
    await tx.execute(
        """insert into entitlement_epoch (tenant_id, number) values ($1, 1)
           on conflict (tenant_id) do update set number = entitlement_epoch.number + 1""",
        tx.tenant_id,
    )
