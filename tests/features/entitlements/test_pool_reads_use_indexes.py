"""Does what is asked of one account's pools leave those of all others alone?"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg

from billwright.features.entitlements.rules.pool import PoolKey
from billwright.features.entitlements.sql.reads_grants import grant_by_id, list_grants
from billwright.features.entitlements.sql.reads_pools import (
    allotments_of,
    open_pools,
    pools_at,
    reserved_of,
)
from billwright.features.entitlements.sql.reads_reservations import (
    list_reservations,
    reservation_of_client,
)
from billwright.features.entitlements.sql.writes_pools import lock_pools, lock_pools_of
from billwright.features.usage.model import MeterDefinition, TotalKey
from billwright.features.usage.sql.reads_first_uses import UseWindows, first_uses
from billwright.features.usage.sql.reads_totals import clocks_with_unseen_usage, subscriptions_of
from billwright.features.usage.sql.writes_totals import claim_unseen_accounts, mark_seen
from tests.conftest import NOON
from tests.faults.crowd import a_crowd

ALLOTMENTS = "entitlement_allotment_tenant_id_"
RESERVATIONS = "entitlement_reservation_tenant_id_"
PLACE = r"entitlement_pool_tenant_id_account_id_feature_code\w+"
USES = UseWindows(
    key=0,
    subscription_ids=[uuid4()],
    definition=MeterDefinition(event_type="m"),
    start=NOON,
    end=NOON + timedelta(days=1),
    length=timedelta(hours=1),
)
ASKED = {
    "places": (PLACE, lambda tx: pools_at(tx, [PoolKey(uuid4(), "calls")])),
    "accounts": (PLACE, lambda tx: open_pools(tx, [uuid4()])),
    "accounts held": (PLACE, lambda tx: lock_pools_of(tx, [uuid4()])),
    "held": ("entitlement_pool_pkey", lambda tx: lock_pools(tx, [uuid4()])),
    "allotments": (f"{ALLOTMENTS}pool_id_\\w+", lambda tx: allotments_of(tx, [uuid4()])),
    "reserved": ("entitlement_reservation_held", lambda tx: reserved_of(tx, [uuid4()], now=NOON)),
    "grants": (
        f"{ALLOTMENTS}account_id_id_idx",
        lambda tx: list_grants(tx, uuid4(), before=None, limit=5),
    ),
    "grant": ("entitlement_allotment_pkey", lambda tx: grant_by_id(tx, uuid4())),
    "reservations": (
        "entitlement_reservation_pkey",
        lambda tx: list_reservations(tx, before=None, limit=5),
    ),
    "reservations of an account": (
        f"{RESERVATIONS}account_id_id_idx",
        lambda tx: list_reservations(tx, before=None, limit=5, account_id=uuid4()),
    ),
    "reservations of a subscription": (
        f"{RESERVATIONS}subscription_id_id_idx",
        lambda tx: list_reservations(tx, before=None, limit=5, subscription_id=uuid4()),
    ),
    "reservations of a client": (
        f"{RESERVATIONS}account_id_client_id_key",
        lambda tx: reservation_of_client(tx, uuid4(), client_id="job-1"),
    ),
    "subscriptions": (
        "usage_total_pkey",
        lambda tx: subscriptions_of(tx, [TotalKey(uuid4(), "m")]),
    ),
    "first uses": (
        r"usage_event_tenant_id_subscription_id_meter_occurred_at_idx",
        lambda tx: first_uses(tx, [USES]),
    ),
    "unseen": ("usage_total_unseen", clocks_with_unseen_usage),
    "unseen held": (
        "usage_total_unseen",
        lambda tx: claim_unseen_accounts(tx, test_clock_id=None, limit=100),
    ),
    "seen": ("usage_total_pkey", lambda tx: mark_seen(tx, [uuid4()])),
}


class Explaining:
    """A transaction that shows the plans of what it is asked."""

    def __init__(self, tx: Any) -> None:
        self.tx, self.tenant_id, self.now, self.plans = tx, tx.tenant_id, tx.now, []

    async def fetch(self, sql: str, *values: object) -> list[Any]:
        self.plans += [row[0] for row in await self.tx.fetch(f"explain {sql}", *values)]
        return []

    async def fetch_row(self, sql: str, *values: object) -> None:  # tidy: forwarding - as a Tx
        await self.fetch(sql, *values)

    async def execute(self, sql: str, *values: object) -> int:
        await self.fetch(sql, *values)
        return 0


async def fill(connection: Any, tenant_id: Any) -> None:
    """A pool of ten grants and ten reservations for each of many accounts, with usage of some events."""
    await connection.execute(
        """insert into feature (tenant_id, id, code, name, kind, created_at, updated_at, combination,
               on_change, version)
           values ($1, gen_random_uuid(), 'calls', 'Calls', 'metered', $2, $2, 'additive',
               'prorate_grant', 1)""",
        tenant_id,
        NOON,
    )
    await connection.execute(
        """insert into entitlement_pool (tenant_id, id, account_id, feature_code, event_type, counting,
               definition, window_start, carried, settled_at, used_before, overage_before, version,
               created_at)
           select $1, id, id, 'calls', 'm', 'quantity', '{}', $2, 0, $2, 0, 0, 1, $2 from account
           where tenant_id = $1""",
        tenant_id,
        NOON,
    )
    await connection.execute(
        """insert into entitlement_allotment (tenant_id, id, pool_id, account_id, kind, amount, balance,
               effective_at, priority, rollover_min, rollover_max, issued_index, steps, reason,
               metadata, version, created_at)
           select $1, gen_random_uuid(), id, id, 'grant', 1, 1, $2, 100, 0, 1, 0, '[]', '', '{}', 1, $2
           from account, generate_series(1, 10) n where tenant_id = $1""",
        tenant_id,
        NOON,
    )
    await connection.execute(
        """insert into entitlement_reservation (tenant_id, id, client_id, account_id, subscription_id,
               pool_id, feature_code, amount, state, expires_at, created_at)
           select $1, gen_random_uuid(), n::text, account_id, id, account_id, 'calls', 1,
               case when n > 8 then 'held' else 'released' end, $2, $2
           from subscription, generate_series(1, 10) n where tenant_id = $1""",
        tenant_id,
        NOON,
    )
    await connection.execute(
        """insert into usage_event
           select s.tenant_id, 'api', s.id || '-' || n, s.account_id, s.id, 'm', 1,
               $2::timestamptz + n * interval '1 hour', $2, null, null, null
           from subscription s, generate_series(1, 50) n where s.tenant_id = $1""",
        tenant_id,
        NOON,
    )
    await connection.execute(
        """insert into usage_total
           select tenant_id, account_id, 'm', id, 50, 50, 1, $2, number < 3 from subscription
           where tenant_id = $1""",
        tenant_id,
        NOON,
    )


async def test_what_is_asked_has_its_index(tenant, migrated_database):
    await a_crowd(tenant, 300)
    connection = await asyncpg.connect(migrated_database)
    try:
        await fill(connection, tenant.id)
        await connection.execute("analyze")
    finally:
        await connection.close()
    for what, (index, ask) in ASKED.items():
        async with tenant.tx() as tx:
            explaining = Explaining(tx)
            try:
                await ask(explaining)
            except Exception as nothing:  # noqa: BLE001 - what finds nothing may be refused
                assert "There is no" in str(nothing), what
        plan = "\n".join(explaining.plans)
        assert re.search(rf"(using|on) {index}\b", plan), f"{what}\n{plan}"
        assert "Seq Scan" not in plan, (what, plan)
