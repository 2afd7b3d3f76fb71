"""Does every rule of the schema refuse a table that breaks it, and accept one that does not?"""

import asyncio

import asyncpg
import pytest

from tools.schema_rules import EXCEPTIONS, RULES, schema_findings

CLEAN = """
create table account (
    tenant_id uuid not null,
    id uuid not null,
    anchor_local timestamp not null,
    total_minor bigint not null,
    created_at timestamptz not null,
    parent_id uuid,
    primary key (tenant_id, id),
    unique (tenant_id, created_at),
    foreign key (tenant_id, parent_id) references account
);
create index on account (tenant_id, parent_id) where parent_id is not null;
alter table account enable row level security;
create policy isolation on account to pg_monitor
    using (tenant_id = current_setting('x.tenant')::uuid)
    with check (tenant_id = current_setting('x.tenant')::uuid);
grant select, insert, update, delete on account to pg_monitor;
create view account_names with (security_invoker = true) as select id from account;
"""
PLAIN = "tenant_id uuid, id uuid, primary key (tenant_id, id)"

# The rule, what to create beside the clean table, and what is found (everything, in order).
BROKEN = [
    ("tenant_first", "create table t (id uuid primary key, tenant_id uuid)", ["t: the primary"]),
    ("tenant_first", "create table t (tenant_id uuid)", ["t: the primary key ()"]),
    (
        "tenant_first",
        "create table t (tenant_id uuid, id uuid, primary key (id, tenant_id))",
        ["t: the primary key (id, tenant_id)"],
    ),
    (
        "unique_within_tenant",
        f"create table t ({PLAIN}, code text unique)",
        ["t (code): unique across tenants"],
    ),
    (
        "unique_within_tenant",
        f"create table t ({PLAIN}); create unique index on t (id) include (tenant_id)",
        ["t (id): unique across tenants"],
    ),
    (
        "unique_within_tenant",
        f"create table t ({PLAIN}, a text); create unique index on t (lower(a))",
        ["t ((expression)): unique across tenants"],
    ),
    (
        "references_within_tenant",
        (
            "create table shop (id uuid primary key);"
            f"create table t ({PLAIN}, shop_id uuid references shop)"
        ),
        ["t: the foreign key t_shop_id_fkey"],
    ),
    (
        "references_within_tenant",
        f"create table t ({PLAIN}, owner uuid, foreign key (owner, id) references account)",
        ["t: the foreign key t_owner_id_fkey"],
    ),
    (
        "references_indexed",
        f"create table t ({PLAIN}, a uuid, foreign key (tenant_id, a) references account)",
        ["t t_tenant_id_a_fkey: no index serves (tenant_id, a)"],
    ),
    (
        "references_indexed",
        (
            f"create table t ({PLAIN}, a uuid, foreign key (tenant_id, a) references account);"
            "create index on t (a, tenant_id); create index on t (tenant_id, a) where a <> id"
        ),
        ["t t_tenant_id_a_fkey: no index serves"],
    ),
    ("tenants_hidden", f"create table t ({PLAIN})", ["t: row-level security is off"]),
    (
        "tenants_hidden",
        (
            f"create table t ({PLAIN}); alter table t enable row level security;"
            "grant select on t to pg_monitor"
        ),
        ["t: no policy on tenant_id for SELECT of pg_monitor"],
    ),
    (
        "tenants_hidden",
        (
            f"create table t ({PLAIN}); alter table t enable row level security;"
            "create policy p on t to pg_monitor using (tenant_id is not null);"
            "grant select, insert, update on t to pg_monitor"
        ),
        [
            "t: no policy on tenant_id for INSERT of pg_monitor",
            "t: no policy on tenant_id for UPDATE of pg_monitor",
        ],
    ),
    (
        "tenants_hidden",
        (
            f"create table t ({PLAIN}); alter table t enable row level security;"
            "create policy p on t using (true) with check (true); grant delete on t to pg_monitor"
        ),
        ["t: no policy on tenant_id for DELETE of pg_monitor"],
    ),
    (
        "tenants_hidden",
        (
            "do $$ begin execute format('grant select on account to %I',"
            " (select min(rolname) from pg_roles where rolsuper)); end $$"
        ),
        ["account: granted to "],
    ),
    (
        "exact_columns",
        (
            f"create table t ({PLAIN}, at timestamp, a real, b double precision[], c money,"
            " d_minor int, e_minor numeric, price bigint, f timetz)"
        ),
        [
            "t.a: real is not exact",
            "t.at: an instant has a zone",
            "t.b: double precision is not exact",
            "t.c: money is not exact",
            "t.d_minor: minor units are bigint, not integer",
            "t.e_minor: minor units are bigint, not numeric",
            "t.f: an offset without a date",
            "t.price: minor units are called so",
        ],
    ),
    (
        "explicit_defaults",
        (
            f"create table t ({PLAIN}, a timestamptz default now(), b date default current_date,"
            " c uuid default gen_random_uuid(), d int default 1)"
        ),
        ["t.a: default now()", "t.b: default CURRENT_DATE", "t.c: default gen_random_uuid()"],
    ),
    (
        "explicit_defaults",
        "create function late() returns timestamptz language sql return clock_timestamp()",
        ["late(): reads the machine's time"],
    ),
    ("guarded_functions", "create view v as select * from account", ["v: a view that reads"]),
    (
        "guarded_functions",
        "create function all_of() returns bigint language sql security definer return 1",
        ["all_of: a function", "all_of(): reads as its owner without", "all_of(): reads as its"],
    ),
]


def in_scratch_schema(dsn, script, ask):
    """What `ask` finds after `script` ran in a schema that never comes to be."""

    async def run():
        connection = await asyncpg.connect(dsn)
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute("create schema scratch; set local search_path = scratch")
            await connection.execute(script)
            return await ask(connection)
        finally:
            await transaction.rollback()
            await connection.close()

    return asyncio.run(run())


@pytest.mark.parametrize(("rule", "script", "expected"), BROKEN)
def test_rule_bites(migrated_database, rule, script, expected):
    found = in_scratch_schema(
        migrated_database, f"{CLEAN};{script}", lambda it: RULES[rule](it, "scratch")
    )
    assert len(found) == len(expected), found
    assert all(each.startswith(start) for each, start in zip(found, expected, strict=True)), found


def test_every_rule_is_bitten():
    assert {rule for rule, _, _ in BROKEN} == set(RULES)


def test_clean_table_breaks_no_rule(migrated_database):
    found, unneeded = in_scratch_schema(
        migrated_database, CLEAN, lambda it: schema_findings(it, "scratch")
    )
    assert found == []
    assert unneeded == set(EXCEPTIONS)


def test_documented_exception_is_left_out(migrated_database):
    script = f"{CLEAN}; create table alembic_version (version_num text primary key)"
    found, unneeded = in_scratch_schema(
        migrated_database, script, lambda it: schema_findings(it, "scratch")
    )
    assert found == []
    assert ("tenant_first", "alembic_version") not in unneeded
