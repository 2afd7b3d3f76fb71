"""Can a tenant reach another tenant's rows, whatever a query forgets?

The tables are read from the catalog of the migrated database, so that a new one is tested from its
first day: the story must leave a row in it, and the row must stay hidden.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest
import pytest_asyncio

from billwright.runtime.db.database import APPLICATION_ROLE
from billwright.runtime.db.embedded_cluster import OWNER, SUPERUSER
from tests.conftest import NOON, Tenant, make_tenant
from tests.isolation.story import live

# What a statement that reaches too far may end with, instead of touching nothing.
REFUSED = (asyncpg.InsufficientPrivilegeError, asyncpg.IntegrityConstraintViolationError)

GUARDED = {
    "tenant_by_code",
    "all_tenants",
    "read_entitlements",
    "check_entitlements",
    "tenants_of_provider_reference",
    "tenants_of_payment_method",
    "count_once_more",
    "count_active_subscriptions",
    "count_unpaid_invoices",
}


@dataclass(frozen=True, slots=True)
class Neighbors:
    """Two tenants with rows in every table, and a superuser who sees both."""

    own: Tenant
    other: Tenant
    superuser: asyncpg.Connection
    tables: tuple[str, ...]

    async def digest(self, table: str) -> str:
        """All that the other tenant has in a table."""
        return await self.superuser.fetchval(
            f"""select count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' order by t::text)), '')
                from {table} t where tenant_id = $1""",
            self.other.id,
        )

    async def digests(self) -> dict[str, str]:
        return {table: await self.digest(table) for table in self.tables}


@pytest_asyncio.fixture
async def neighbors(postgres_server, migrated_database, database, registry) -> AsyncIterator:
    own, other = await make_tenant(database, "own"), await make_tenant(database, "other")
    for tenant in (own, other):
        await live(tenant, registry)
    name = migrated_database.rpartition("/")[2]
    superuser = await asyncpg.connect(postgres_server.superuser_dsn_for(name))
    try:
        rows = await superuser.fetch(
            """select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where n.nspname = 'public' and c.relkind in ('r', 'p')
                   and c.relname <> 'alembic_version' order by 1"""
        )
        yield Neighbors(own, other, superuser, tuple(row["relname"] for row in rows))
    finally:
        await superuser.close()


@pytest_asyncio.fixture
async def visitor(postgres_server, migrated_database, neighbors) -> AsyncIterator:
    """A session with nothing but the application's role: its login owns nothing either."""
    await neighbors.superuser.execute(
        """do $$ begin create role visitor login password 'visitor' in role billwright_app;
           exception when duplicate_object then null; end $$"""
    )
    name = migrated_database.rpartition("/")[2]
    address = postgres_server.server
    connection = await asyncpg.connect(
        host=address.host,
        port=address.port,
        user="visitor",
        password="visitor",
        database=name,
        server_settings={"role": APPLICATION_ROLE},
    )
    try:
        yield connection
    finally:
        await connection.close()


async def attempt(tenant: Tenant, sql: str, *values: object) -> int | None:
    """How many rows a statement touched, or none when it was refused; it is undone in any case."""

    class Undone(Exception):
        pass

    touched = None
    try:
        async with tenant.tx() as tx:
            touched = await tx.execute(sql, *values)
            raise Undone
    except (Undone, *REFUSED):
        return touched


async def test_the_story_leaves_a_row_of_both_tenants_in_every_table(neighbors):
    for table in neighbors.tables:
        tenants = await neighbors.superuser.fetch(f"select distinct tenant_id from {table}")
        assert {row["tenant_id"] for row in tenants} == {neighbors.own.id, neighbors.other.id}, (
            table
        )


async def test_a_query_without_a_filter_sees_only_its_own_tenant(neighbors):
    for table in neighbors.tables:
        async with neighbors.own.tx() as tx:
            seen = await tx.fetch_value(f"select count(*) from {table}")
            foreign = await tx.fetch_value(
                f"select count(*) from {table} where tenant_id <> $1", neighbors.own.id
            )
        stored = await neighbors.superuser.fetchval(
            f"select count(*) from {table} where tenant_id = $1", neighbors.own.id
        )
        assert (seen, foreign) == (stored, 0), table


async def test_a_change_without_a_filter_touches_only_its_own_tenant(neighbors):
    before = await neighbors.digests()
    for table in neighbors.tables:
        own = await neighbors.superuser.fetchval(
            f"select count(*) from {table} where tenant_id = $1", neighbors.own.id
        )
        assert await attempt(neighbors.own, f"update {table} set tenant_id = tenant_id") in {
            own,
            None,
        }, table
        assert await attempt(neighbors.own, f"delete from {table}") in {own, None}, table
        for change in (f"delete from {table}", f"update {table} set tenant_id = tenant_id"):
            named = await attempt(
                neighbors.own, f"{change} where tenant_id = $1", neighbors.other.id
            )
            assert named in {0, None}, table
    assert await neighbors.digests() == before


async def test_a_row_cannot_be_written_for_or_given_to_another_tenant(neighbors):
    for table in neighbors.tables:
        columns = await neighbors.superuser.fetchval(
            """select string_agg(quote_ident(attname), ', ') from pg_attribute
               where attrelid = $1::regclass and attnum > 0 and not attisdropped
                   and attgenerated = ''""",
            table,
        )
        row = await neighbors.superuser.fetchval(
            f"select to_json(t) from {table} t where tenant_id = $1 limit 1", neighbors.other.id
        )
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with neighbors.own.tx() as tx:
                await tx.execute(
                    f"""insert into {table} ({columns})
                        select {columns} from json_populate_record(null::{table}, $1::json)""",
                    row,
                )
        with pytest.raises(REFUSED):
            async with neighbors.own.tx() as tx:
                await tx.execute(f"update {table} set tenant_id = $1", neighbors.other.id)


async def test_without_a_tenant_nothing_is_visible(neighbors):
    for table in neighbors.tables:
        (row,) = await neighbors.own.database.unscoped(f"select count(*) from {table}")
        assert row[0] == 0, table
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await neighbors.own.database.unscoped(f"truncate {table}")


async def test_the_setting_of_one_transaction_does_not_reach_the_next(neighbors):
    async with neighbors.own.tx() as tx:
        assert await tx.fetch_value("select count(*) from tenant") == 1
    for _ in range(10):  # every connection of the pool
        (row,) = await neighbors.own.database.unscoped(
            "select count(*), current_setting('billwright.tenant_id', true) as tenant from tenant"
        )
        assert tuple(row) == (0, "") or tuple(row) == (0, None)


LIFTS = (
    "alter table invoice disable row level security",
    "alter table invoice disable trigger all",
    "drop policy tenant_isolation on invoice",
    "create policy open on invoice using (true)",
    "create table public.own (n int)",
    "create function public.own() returns int language sql return 1",
    "alter function all_tenants() owner to billwright_app",
    "alter role billwright_app bypassrls",
    f"grant {OWNER} to billwright_app",
    f"set role {OWNER}",
    f"set role {SUPERUSER}",
    f"set session authorization {OWNER}",
    "set session_replication_role = replica",
    "copy tenant to program 'cat'",
    "select pg_read_file('PG_VERSION')",
    "select * from pg_authid",
)


async def test_the_application_role_cannot_lift_its_own_limits(neighbors, visitor):
    for statement in LIFTS:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await visitor.execute(statement)
    # Row security that is switched off means that queries fail, never that they show more.
    await visitor.execute("set row_security = off")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await visitor.fetch("select * from invoice")


async def test_the_application_role_owns_nothing_and_belongs_to_nothing(neighbors):
    role = await neighbors.superuser.fetchrow(
        """select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin,
               (select count(*) from pg_class where relowner = r.oid) as tables,
               (select count(*) from pg_proc where proowner = r.oid) as functions,
               (select count(*) from pg_auth_members where member = r.oid) as memberships
           from pg_roles r where rolname = $1""",
        APPLICATION_ROLE,
    )
    assert not any(role)


async def test_every_table_is_guarded_by_one_policy(neighbors):
    rows = await neighbors.superuser.fetch(
        """select c.relname, c.relrowsecurity, count(p.policyname) as policies,
               bool_and(p.qual = p.with_check and p.cmd = 'ALL') as complete
           from pg_class c
           left join pg_policies p on p.tablename = c.relname and p.schemaname = 'public'
           where c.relname = any($1::text[]) group by 1, 2""",
        neighbors.tables,
    )
    assert len(rows) == len(neighbors.tables)
    for row in rows:
        assert tuple(row)[1:] == (True, 1, True), row["relname"]


async def test_the_guarded_functions_are_the_only_ones_that_look_across(neighbors):
    functions = await neighbors.superuser.fetch(
        """select p.proname, p.proconfig, has_function_privilege('public', p.oid, 'execute') as open
           from pg_proc p join pg_namespace n on n.oid = p.pronamespace
           where n.nspname in ('public', 'queue') and p.prosecdef"""
    )
    assert {row["proname"] for row in functions} == GUARDED
    for row in functions:
        assert "search_path=public" in row["proconfig"], row["proname"]
        assert not row["open"], row["proname"]


async def test_the_guarded_functions_tell_no_more_than_they_promise(neighbors):
    database, own, other = neighbors.own.database, neighbors.own, neighbors.other
    assert await database.tenant_by_code("other") == other.id
    assert await database.tenant_by_code("nobody") is None
    assert set(await database.all_tenants()) == {own.id, other.id}
    subscription_id = await neighbors.superuser.fetchval(
        "select id from subscription where tenant_id = $1 and external_id = 'order-7'", other.id
    )
    question = "select * from read_entitlements($1::uuid[], $2::uuid[], $3)"
    assert await database.unscoped(question, [own.id], [subscription_id], NOON) == []
    (row,) = await database.unscoped(question, [other.id], [subscription_id], NOON)
    assert set(row.keys()) == {
        *("place", "account_id", "version", "account_now", "access", "features", "pools")
    }


async def test_a_check_tells_nothing_of_another_tenants_account(neighbors):
    other = neighbors.other
    account = await neighbors.superuser.fetchrow(
        """select a.id, a.external_id, f.code from account a
           join entitlement_pool p on p.tenant_id = a.tenant_id and p.account_id = a.id
           join feature f on f.tenant_id = a.tenant_id and f.code = p.feature_code
           where a.tenant_id = $1""",
        other.id,
    )
    question = """select * from check_entitlements($1::uuid[], $2::uuid[], array['known'], null, null,
                      null, $3::text[], $4)"""
    await neighbors.superuser.execute(
        "update account set external_id = 'known' where tenant_id = $1 and id = $2",
        other.id,
        account["id"],
    )
    for account_id in (account["id"], None):
        values = [account_id], [account["code"]], NOON
        (told,) = await neighbors.own.database.unscoped(question, [neighbors.own.id], *values)
        assert (told["account_id"], told["version"], told["decision"], told["pools"]) == (
            account_id,
            None,
            None,
            None,
        )
        (told,) = await neighbors.own.database.unscoped(question, [other.id], *values)
        assert told["account_id"] == account["id"]


async def test_a_temporary_table_does_not_deceive_the_guarded_functions(neighbors):
    async with neighbors.own.tx() as tx:
        await tx.execute("create temporary table tenant (tenant_id uuid, code text)")
        await tx.execute("insert into pg_temp.tenant values ($1, 'other')", neighbors.own.id)
        assert await tx.fetch_value("select tenant_by_code('other')") == neighbors.other.id
        await tx.execute("drop table pg_temp.tenant")
