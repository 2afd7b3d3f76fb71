"""How do pools and what they hold change?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from billwright.features.entitlements.model import Allotment, Pool
from billwright.features.entitlements.rules.pool import Holding
from billwright.features.entitlements.sql.reads_pools import POOL_COLUMNS, holding_from_row
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx


async def lock_pools(tx: Tx, pool_ids: Collection[UUID]) -> list[Holding]:
    """Hold pools until the commit, in the order of their ids; those that are closed are left out, and
    what they hold is not read.
    """
    rows = await tx.fetch(
        f"""select {POOL_COLUMNS} from entitlement_pool p
            where p.tenant_id = $1 and p.id = any($2::uuid[]) and p.closed_at is null
            order by p.id for no key update""",
        tx.tenant_id,
        list(pool_ids),
    )
    return [holding_from_row(row) for row in rows]


async def lock_pools_of(tx: Tx, account_ids: Collection[UUID]) -> list[Holding]:
    """Hold all pools of these accounts until the commit, likewise, also the closed ones."""
    rows = await tx.fetch(
        f"""select {POOL_COLUMNS} from entitlement_pool p
            where p.tenant_id = $1 and p.account_id = any($2::uuid[])
            order by p.id for no key update""",
        tx.tenant_id,
        list(account_ids),
    )
    return [holding_from_row(row) for row in rows]


async def store_holdings(tx: Tx, *, before: Sequence[Holding], after: Sequence[Holding]) -> None:
    """Store what is another one than it was, of pools and of what they hold; what they do not hold any
    more is forgotten.
    """
    known = {one.pool.id: one for one in before}
    held = {part.id: part for one in before for part in one.allotments}
    parts = [part for one in after for part in one.allotments]
    await upsert_pools(
        tx,
        [
            one
            for one in after
            if (kept := known.get(one.pool.id)) is None
            or (kept.pool, kept.counted) != (one.pool, one.counted)
        ],
    )
    # First, because what a source gives anew takes the place of what it once gave.
    await delete_allotments(tx, held.keys() - {part.id for part in parts})
    await upsert_allotments(tx, [part for part in parts if held.get(part.id) != part])


async def upsert_pools(tx: Tx, holdings: Sequence[Holding]) -> None:
    """Store pools as they are now, by one statement; each version grows by one."""
    if not holdings:
        return
    await tx.execute(
        """insert into entitlement_pool as known (tenant_id, id, account_id, subscription_id,
               feature_code, event_type, counting, definition, window_start, window_end, carried,
               settled_at, valid_until, available, used_before, overage_before, limit_neared_at,
               limit_reached_at, closed_at, counted_quantity, counted_events, counted_revision,
               counted_used, version, created_at)
           select $1, p.id, p.account_id, p.subscription_id, p.feature_code, p.event_type, p.counting,
               p.definition, p.window_start, p.window_end, p.carried, p.settled_at, p.valid_until,
               p.available, p.used_before, p.overage_before, p.limit_neared_at, p.limit_reached_at,
               p.closed_at, p.counted_quantity, p.counted_events, p.counted_revision, p.counted_used,
               1, $2
           from json_populate_recordset(null::entitlement_pool, $3::json) as p
           on conflict (tenant_id, id) do update
               set event_type = excluded.event_type, counting = excluded.counting,
                   definition = excluded.definition, window_start = excluded.window_start,
                   window_end = excluded.window_end, carried = excluded.carried,
                   settled_at = excluded.settled_at, valid_until = excluded.valid_until,
                   available = excluded.available, used_before = excluded.used_before,
                   overage_before = excluded.overage_before,
                   limit_neared_at = excluded.limit_neared_at,
                   limit_reached_at = excluded.limit_reached_at, closed_at = excluded.closed_at,
                   counted_quantity = excluded.counted_quantity,
                   counted_events = excluded.counted_events,
                   counted_revision = excluded.counted_revision,
                   counted_used = excluded.counted_used, version = known.version + 1""",
        tx.tenant_id,
        tx.now,
        to_json([_pool_row(one) for one in holdings]),
    )


def _pool_row(holding: Holding) -> dict[str, object]:
    pool, counted = holding.pool, holding.counted
    return {
        "id": pool.id,
        "account_id": pool.definition.account_id,
        "subscription_id": pool.definition.subscription_id,
        "feature_code": pool.definition.feature,
        "event_type": pool.event_type,
        "counting": pool.counting,
        "definition": pool.definition,
        "window_start": pool.window_start,
        "window_end": pool.window_end,
        "carried": pool.carried,
        "settled_at": pool.settled_at,
        "valid_until": pool.valid_until,
        "available": pool.available,
        "used_before": pool.used_before,
        "overage_before": pool.overage_before,
        "limit_neared_at": pool.limit_neared_at,
        "limit_reached_at": pool.limit_reached_at,
        "closed_at": pool.closed_at,
        "counted_quantity": counted.quantity,
        "counted_events": counted.events,
        "counted_revision": counted.revision,
        "counted_used": counted.used,
    }


async def upsert_allotments(tx: Tx, allotments: Sequence[Allotment]) -> None:
    """Store what pools hold, by one statement; each version grows by one."""
    if not allotments:
        return
    await tx.execute(
        """insert into entitlement_allotment as known (tenant_id, id, pool_id, account_id, kind, source,
               amount, balance, effective_at, expires_at, priority, rollover_min, rollover_max,
               recurrence_unit, recurrence_count, issued_index, steps, reason, metadata, voided_at,
               version, created_at)
           select $1, a.id, a.pool_id, a.account_id, a.kind, a.source, a.amount, a.balance,
               a.effective_at, a.expires_at, a.priority, a.rollover_min, a.rollover_max,
               a.recurrence_unit, a.recurrence_count, a.issued_index, a.steps, a.reason, a.metadata,
               a.voided_at, 1, a.created_at
           from json_populate_recordset(null::entitlement_allotment, $2::json) as a
           on conflict (tenant_id, id) do update
               set amount = excluded.amount, balance = excluded.balance,
                   effective_at = excluded.effective_at, issued_index = excluded.issued_index,
                   steps = excluded.steps, voided_at = excluded.voided_at,
                   version = known.version + 1""",
        tx.tenant_id,
        to_json([_allotment_row(one) for one in allotments]),
    )


def _allotment_row(allotment: Allotment) -> dict[str, object]:
    recurrence = allotment.recurrence
    return {
        "id": allotment.id,
        "pool_id": allotment.pool_id,
        "account_id": allotment.account_id,
        "kind": allotment.kind,
        "source": allotment.source,
        "amount": allotment.amount,
        "balance": allotment.balance,
        "effective_at": allotment.effective_at,
        "expires_at": allotment.expires_at,
        "priority": allotment.priority,
        "rollover_min": allotment.rollover_min,
        "rollover_max": allotment.rollover_max,
        "recurrence_unit": recurrence.unit if recurrence else None,
        "recurrence_count": recurrence.count if recurrence else None,
        "issued_index": allotment.issued_index,
        "steps": allotment.steps,
        "reason": allotment.reason,
        "metadata": allotment.metadata,
        "voided_at": allotment.voided_at,
        "created_at": allotment.created_at,
    }


async def delete_allotments(tx: Tx, allotment_ids: Collection[UUID]) -> None:
    """Forget allowances that ended in a window which is over."""
    if allotment_ids:
        await tx.execute(
            "delete from entitlement_allotment where tenant_id = $1 and id = any($2::uuid[])",
            tx.tenant_id,
            list(allotment_ids),
        )


async def mark_limits(tx: Tx, pools: Collection[Pool]) -> None:
    """Note of which limits it was told in this window that they are reached, or nearly."""
    if pools:
        await tx.execute(
            """update entitlement_pool p
               set limit_neared_at = m.limit_neared_at, limit_reached_at = m.limit_reached_at
               from json_populate_recordset(null::entitlement_pool, $2::json) as m
               where p.tenant_id = $1 and p.id = m.id""",
            tx.tenant_id,
            to_json(
                [
                    {
                        "id": pool.id,
                        "limit_neared_at": pool.limit_neared_at,
                        "limit_reached_at": pool.limit_reached_at,
                    }
                    for pool in pools
                ]
            ),
        )
