"""Does a question about one account touch what others have?

What a guarded function does inside is not explained, but the pages that it looks at are counted.
"""

from __future__ import annotations

import json

import asyncpg
import pytest

from tests.conftest import NOON
from tests.faults.crowd import a_crowd

# A page or two for each of a handful of tables, and what is above them in their indexes.
FEW_PAGES = 60

QUESTIONS = {
    "read": (
        """select * from read_entitlements(array[$1::uuid], array[$2::uuid], $3)""",
        "select id from subscription where tenant_id = $1 order by id limit 1",
    ),
    "check": (
        """select * from check_entitlements(array[$1::uuid], array[$2::uuid], null, null, null, null,
               array['f1'], $3)""",
        "select id from account where tenant_id = $1 order by id limit 1",
    ),
    "check by the platform's id": (
        """select * from check_entitlements(array[$1::uuid], null, array[$2::text], null, null, null,
               array['f1'], $3)""",
        """select external_id from account where tenant_id = $1 and external_id is not null
           order by id limit 1""",
    ),
}


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_question_looks_at_few_pages(tenant, migrated_database, question):
    await a_crowd(tenant, 300)
    sql, subject = QUESTIONS[question]
    connection = await asyncpg.connect(
        migrated_database, server_settings={"enable_seqscan": "off", "jit": "off"}
    )
    try:
        await _fill(connection, tenant.id)
        await connection.execute("analyze")
        values = (tenant.id, await connection.fetchval(subject, tenant.id), NOON)
        (row,) = await connection.fetch(sql, *values)
        assert '"f1"' in row["pools"]
        (plan,) = json.loads(
            await connection.fetchval(f"explain (analyze, buffers, format json) {sql}", *values)
        )
    finally:
        await connection.close()
    pages = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    assert 0 < pages < FEW_PAGES


async def _fill(connection: asyncpg.Connection, tenant_id: object) -> None:
    """Pools of three features for each account, of which one is used, with reservations and totals, and
    a hundred test clocks beside.
    """
    for statement in (
        """insert into feature (tenant_id, id, code, name, kind, combination, on_change, version,
               created_at, updated_at)
           select $1, gen_random_uuid(), 'f' || n, 'F', 'metered', 'additive', 'prorate_grant', 1, $2, $2
           from generate_series(1, 3) n""",
        """insert into entitlement_pool
           select p.* from account a, feature f, lateral json_populate_record(
               null::entitlement_pool, json_build_object('tenant_id', a.tenant_id,
               'id', md5(a.id || f.code)::uuid, 'account_id', a.id,
               'feature_code', f.code, 'event_type', f.code,
               'counting', 'quantity', 'definition', '{}'::json, 'window_start', $2::timestamptz,
               'settled_at', $2::timestamptz, 'used_before', 0, 'overage_before', 0, 'carried', 0,
               'version', 1, 'created_at', $2::timestamptz)) p
           where a.tenant_id = $1 and f.tenant_id = $1 and f.code in ('f1', 'f2', 'f3')""",
        """insert into entitlement_reservation
           select p.tenant_id, gen_random_uuid(), n::text || p.feature_code, p.account_id, s.id, p.id,
               p.feature_code, 1, null, 'held', $2::timestamptz + interval '1 hour', $2, null
           from entitlement_pool p join subscription s
               on s.tenant_id = p.tenant_id and s.account_id = p.account_id, generate_series(1, 3) n
           where p.tenant_id = $1""",
        """insert into usage_total
           select s.tenant_id, s.account_id, 'f' || n, s.id, 1, 1, 0, $2, false
           from subscription s, generate_series(1, 3) n where s.tenant_id = $1""",
        """insert into entitlement_epoch values ($1, 1) on conflict do nothing""",
        """update account set external_id = 'customer-' || number where tenant_id = $1""",
        """insert into entitlement_snapshot
           select s.tenant_id, s.account_id, 1, jsonb_build_object(
               'features', jsonb_build_object('f1', jsonb_build_object(
                   'kind', 'metered', 'pools', jsonb_build_array(null))),
               'subscriptions', jsonb_build_object(s.id::text, jsonb_build_object('access', 'full',
                   'features', jsonb_build_array(jsonb_build_object('feature', 'f1',
                       'kind', 'metered', 'pool', jsonb_build_object('subscription_id', null)))))),
               $2, e.number, null, null
           from subscription s join entitlement_epoch e on e.tenant_id = s.tenant_id
           where s.tenant_id = $1
           on conflict (tenant_id, account_id) do update
               set decisions = excluded.decisions, epoch = excluded.epoch""",
        """insert into entitlement_source
           select s.tenant_id, s.id, s.account_id, i.plan_version_id, $2,
               $2::timestamptz + interval '1 month', '{}'
           from subscription s
           join lateral (select id as plan_version_id from plan_version v
               where v.tenant_id = s.tenant_id limit 1) i on true
           where s.tenant_id = $1
           on conflict do nothing""",
    ):
        values = [tenant_id, NOON] if "$2" in statement else [tenant_id]
        await connection.execute(statement, *values)
