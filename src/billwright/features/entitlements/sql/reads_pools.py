"""What does the database know of pools?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import asyncpg
import msgspec

from billwright.features.entitlements.model import (
    Allotment,
    AllotmentKind,
    Counting,
    Pool,
    PoolDefinition,
    Step,
)
from billwright.features.entitlements.rules.counting import Counted
from billwright.features.entitlements.rules.pool import Holding, PoolKey, key_of
from billwright.kernel.calendar import Interval, IntervalUnit
from billwright.runtime.db.json import from_json, to_json
from billwright.runtime.db.tx import Tx

POOL_COLUMNS = """p.id, p.event_type, p.counting, p.definition, p.window_start, p.window_end, p.carried,
    p.settled_at, p.valid_until, p.available, p.used_before, p.overage_before, p.limit_neared_at,
    p.limit_reached_at, p.closed_at, p.version, p.counted_quantity, p.counted_events,
    p.counted_revision, p.counted_used"""

ALLOTMENT_COLUMNS = """a.id, a.pool_id, a.account_id, a.kind, a.source, a.amount, a.balance,
    a.effective_at, a.expires_at, a.priority, a.rollover_min, a.rollover_max, a.recurrence_unit,
    a.recurrence_count, a.issued_index, a.steps, a.reason, a.metadata, a.voided_at, a.version,
    a.created_at"""

_definition_from_json = msgspec.json.Decoder(PoolDefinition).decode
_steps_from_json = msgspec.json.Decoder(tuple[Step, ...]).decode


async def pools_at(tx: Tx, keys: Collection[PoolKey]) -> dict[PoolKey, Holding]:
    """The pools at these places, with nothing of what they hold; closed and missing ones are absent."""
    # Limited, so that each is looked up by its key, whatever is believed of the table's size.
    rows = await tx.fetch(
        f"""select o.* from json_to_recordset($2::json)
                as k (account_id uuid, feature text, subscription_id uuid)
            cross join lateral (
                select {POOL_COLUMNS} from entitlement_pool p
                where p.tenant_id = $1 and p.account_id = k.account_id
                    and p.feature_code = k.feature
                    and p.subscription_id is not distinct from k.subscription_id
                    and p.closed_at is null
                limit 1) as o""",
        tx.tenant_id,
        to_json([key._asdict() for key in keys]),
    )
    holdings = [holding_from_row(row) for row in rows]
    return {key_of(one.pool.definition): one for one in holdings}


async def open_pools(tx: Tx, account_ids: Collection[UUID]) -> dict[UUID, list[Pool]]:
    """The pools of these accounts that are not closed, whether anything or only grants give them."""
    rows = await tx.fetch(
        f"""select {POOL_COLUMNS} from entitlement_pool p
            where p.tenant_id = $1 and p.account_id = any($2::uuid[]) and p.closed_at is null
            order by p.feature_code, p.id""",
        tx.tenant_id,
        list(account_ids),
    )
    pools: dict[UUID, list[Pool]] = defaultdict(list)
    for row in rows:
        pool = holding_from_row(row).pool
        pools[pool.definition.account_id].append(pool)
    return pools


async def allotments_of(tx: Tx, pool_ids: Collection[UUID]) -> dict[UUID, list[Allotment]]:
    """What pools hold that was in force at any time of their running windows, or is to be."""
    # A fence, so that those of one pool are looked up after the other, likewise.
    rows = await tx.fetch(
        f"""select o.* from unnest($2::uuid[]) as i (pool_id)
            cross join lateral (
                select p.id, p.window_start from entitlement_pool p
                where p.tenant_id = $1 and p.id = i.pool_id limit 1) as p
            cross join lateral (
                select {ALLOTMENT_COLUMNS} from entitlement_allotment a
                where a.tenant_id = $1 and a.pool_id = p.id
                    and coalesce(a.voided_at, 'infinity') >= p.window_start
                    and coalesce(a.expires_at, 'infinity') >= p.window_start
                order by a.id offset 0) as o""",
        tx.tenant_id,
        list(pool_ids),
    )
    allotments: dict[UUID, list[Allotment]] = defaultdict(list)
    for row in rows:
        allotments[row["pool_id"]].append(allotment_from_row(row))
    return allotments


async def reserved_of(tx: Tx, pool_ids: Collection[UUID], *, now: datetime) -> dict[UUID, Decimal]:
    """What is held of pools at an instant; one of which nothing is held is absent."""
    rows = await tx.fetch(
        """select r.pool_id, sum(r.amount) as amount from entitlement_reservation r
           where r.tenant_id = $1 and r.pool_id = any($2::uuid[]) and r.state = 'held'
               and r.expires_at > $3
           group by r.pool_id""",
        tx.tenant_id,
        list(pool_ids),
        now,
    )
    return {row["pool_id"]: row["amount"] for row in rows}


def holding_from_row(row: asyncpg.Record) -> Holding:
    """A pool from a row that holds its columns, with nothing of what it holds."""
    return Holding(
        pool=Pool(
            id=row["id"],
            definition=_definition_from_json(row["definition"]),
            event_type=row["event_type"],
            counting=Counting(row["counting"]),
            window_start=row["window_start"],
            window_end=row["window_end"],
            carried=row["carried"],
            settled_at=row["settled_at"],
            valid_until=row["valid_until"],
            available=row["available"],
            used_before=row["used_before"],
            overage_before=row["overage_before"],
            limit_neared_at=row["limit_neared_at"],
            limit_reached_at=row["limit_reached_at"],
            closed_at=row["closed_at"],
            version=row["version"],
        ),
        allotments=(),
        counted=Counted(
            quantity=row["counted_quantity"],
            events=row["counted_events"],
            revision=row["counted_revision"],
            used=row["counted_used"],
        ),
    )


def allotment_from_row(row: asyncpg.Record) -> Allotment:
    """An allotment from a row that holds its columns."""
    unit = row["recurrence_unit"]
    return Allotment(
        id=row["id"],
        pool_id=row["pool_id"],
        account_id=row["account_id"],
        kind=AllotmentKind(row["kind"]),
        source=row["source"],
        amount=row["amount"],
        balance=row["balance"],
        effective_at=row["effective_at"],
        expires_at=row["expires_at"],
        priority=row["priority"],
        rollover_min=row["rollover_min"],
        rollover_max=row["rollover_max"],
        recurrence=None if unit is None else Interval(IntervalUnit(unit), row["recurrence_count"]),
        issued_index=row["issued_index"],
        steps=_steps_from_json(row["steps"]),
        reason=row["reason"],
        metadata=from_json(row["metadata"]),
        voided_at=row["voided_at"],
        version=row["version"],
        created_at=row["created_at"],
    )
