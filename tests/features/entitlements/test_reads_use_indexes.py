"""Does what is asked of one account's access leave that of all others alone?"""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import asyncpg

from billwright.features.accounts.sql.reads import account_times
from billwright.features.catalog.sql.reads_features import features_of_access
from billwright.features.entitlements.sql.reads import (
    accounts_with_pools,
    granted_to,
    restrictions_of,
    snapshot_if_fresh,
    sources_of,
)
from billwright.features.entitlements.sql.reads_overrides import list_overrides, overrides_of
from tests.conftest import NOON
from tests.faults.crowd import a_crowd

OVERRIDES = r"using entitlement_override_tenant_id_account_id_id_idx"


class Explaining:
    """A transaction that shows the plans of what it is asked."""

    def __init__(self, tx: Any) -> None:
        self.tx, self.tenant_id, self.now, self.plans = tx, tx.tenant_id, tx.now, []

    async def fetch(self, sql: str, *values: object) -> list[Any]:
        self.plans += [row[0] for row in await self.tx.fetch(f"explain {sql}", *values)]
        return []

    async def fetch_row(self, sql: str, *values: object) -> None:
        return (await self.fetch(sql, *values) or [None])[0]


ASKED = {
    "times": (r"account_pkey", lambda tx: account_times(tx, [uuid4()])),
    "sources": (
        r"entitlement_source_tenant_id_account_id_idx",
        lambda tx: sources_of(tx, [uuid4()]),
    ),
    "restrictions": (
        r"entitlement_restriction_tenant_id_account_id_idx",
        lambda tx: restrictions_of(tx, [uuid4()]),
    ),
    "overrides": (OVERRIDES, lambda tx: overrides_of(tx, [uuid4()], after=NOON)),
    "list": (
        OVERRIDES,
        lambda tx: list_overrides(tx, uuid4(), before=uuid4(), limit=5, in_force_at=NOON),
    ),
    "of_subscription": (
        r"using entitlement_override_tenant_id_\w+",
        lambda tx: list_overrides(tx, uuid4(), before=None, limit=5, subscription_id=uuid4()),
    ),
    "granted": (
        r"entitlement_allotment_tenant_id_account_id_id_idx",
        lambda tx: granted_to(tx, [uuid4()], after=NOON),
    ),
    "with_pools": (
        r"entitlement_pool_tenant_id_account_id_\w+",
        lambda tx: accounts_with_pools(tx, [uuid4()]),
    ),
    "snapshot": (r"entitlement_snapshot_pkey", lambda tx: snapshot_if_fresh(tx, uuid4())),
    "features": (r"feature_tenant_id_code_key", lambda tx: features_of_access(tx, ["f7", "f9"])),
    "defaults": (r"feature_with_default", lambda tx: features_of_access(tx, ["f7", "f9"])),
}


async def test_it_is_found_by_an_index(tenant, migrated_database):
    await a_crowd(tenant, 300)
    connection = await asyncpg.connect(migrated_database)
    try:
        await _fill(connection, tenant.id)
        await connection.execute("analyze")
    finally:
        await connection.close()
    for index, ask in ASKED.values():
        async with tenant.tx() as tx:
            explaining = Explaining(tx)
            await ask(explaining)
        plan = "\n".join(explaining.plans)
        assert re.search(index, plan), plan
        assert "Seq Scan" not in plan, plan


async def _fill(connection: Any, tenant_id: Any) -> None:
    """A thousand features, and of one of them overrides, pools, grants and restrictions of everybody."""
    for statement in (
        """insert into feature (tenant_id, id, code, name, kind, combination, on_change, version,
               created_at, updated_at)
           select $1, gen_random_uuid(), 'f' || n, 'F', 'metered', 'additive', 'prorate_grant', 1, $2, $2
           from generate_series(1, 1000) n""",
        """insert into entitlement_override
           select s.tenant_id, gen_random_uuid(), s.account_id, s.id, f.id, '{"value": "1"}', 'r',
               $2::timestamptz + n * interval '1 day', null, $2::timestamptz + n * interval '2 day',
               null, null, $2
           from subscription s, feature f, generate_series(1, 20) n
           where s.tenant_id = $1 and f.tenant_id = $1 and f.code = 'f1'""",
        """insert into entitlement_restriction
           select s.tenant_id, gen_random_uuid(), gen_random_uuid(), s.account_id, s.id,
               'revoke', '{}', $2
           from subscription s, generate_series(1, 5) n where s.tenant_id = $1""",
        """insert into entitlement_pool
           select p.* from subscription s, feature f, lateral json_populate_record(
               null::entitlement_pool, json_build_object('tenant_id', s.tenant_id,
               'id', md5(s.id || f.code)::uuid, 'account_id', s.account_id,
               'feature_code', f.code, 'event_type', f.code,
               'counting', 'quantity', 'definition', '{}'::json, 'window_start', $2::timestamptz,
               'settled_at', $2::timestamptz, 'used_before', 0, 'overage_before', 0, 'carried', 0,
               'version', 1, 'created_at', $2::timestamptz)) p
           where s.tenant_id = $1 and f.tenant_id = $1 and f.code in ('f1', 'f2', 'f3')""",
        """insert into entitlement_allotment
           select a.* from entitlement_pool p, generate_series(1, 3) n, lateral json_populate_record(
               null::entitlement_allotment, json_build_object('tenant_id', p.tenant_id,
               'id', md5(p.id::text || n)::uuid, 'pool_id', p.id,
               'account_id', p.account_id, 'kind', 'grant', 'amount', 5, 'balance', 5,
               'effective_at', $2::timestamptz, 'priority', 1, 'rollover_min', 0, 'rollover_max', 5,
               'issued_index', 0, 'steps', '[]'::json, 'reason', '', 'metadata', '{}'::json, 'version', 1,
               'created_at', $2::timestamptz)) a
           where p.tenant_id = $1""",
    ):
        await connection.execute(statement, tenant_id, NOON)
