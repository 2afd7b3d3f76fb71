"""Does any database come to the same schema, once, whoever starts it?"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import asyncpg
import pytest
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.domain.settings import DBSettings

from billwright.runtime.db.database import APPLICATION_ROLE, Database
from billwright.runtime.db.embedded_cluster import OWNER
from billwright.runtime.db.migrate import current_revision, head_revision, migrate, migrate_now
from tests.conftest import make_tenant

# What a schema consists of, as text; names of a schema are left out, so that two can be compared.
SHAPE = """
    select 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        || ' ' || a.attnotnull || ' ' || a.attidentity::text
        || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid and c.relkind = 'r'
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where c.relnamespace = $1::regnamespace and a.attnum > 0 and not a.attisdropped
    union all
    select 'index ' || pg_get_indexdef(i.indexrelid)
    from pg_index i join pg_class c on c.oid = i.indrelid where c.relnamespace = $1::regnamespace
    union all
    select 'constraint ' || c.conname || ' ' || pg_get_constraintdef(c.oid)
    from pg_constraint c where c.connamespace = $1::regnamespace and c.contype <> 'n'
    union all
    select 'function ' || p.proname || ' ' || p.prosrc
    from pg_proc p where p.pronamespace = $1::regnamespace
    union all
    select 'trigger ' || pg_get_triggerdef(t.oid)
    from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where c.relnamespace = $1::regnamespace and not t.tgisinternal
    union all
    select 'enum ' || t.typname || ' ' || e.enumlabel || ' ' || e.enumsortorder
    from pg_enum e join pg_type t on t.oid = e.enumtypid where t.typnamespace = $1::regnamespace
"""


@pytest.fixture
def empty_database(postgres_server, database_names) -> Iterator[str]:
    """The owner's address of a database that was never migrated."""
    name = next(database_names)
    yield postgres_server.fresh_database(name)
    postgres_server.drop_database(name)


async def shape_of(dsn: str, schema: str) -> set[str]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(SHAPE, schema)
    finally:
        await connection.close()
    return {row[0].replace(f"{schema}.", "") for row in rows}


async def migrate_in_processes(addresses: list[str]) -> list[str]:
    """Migrate each address in a process of its own, all at once; the steps that each one took."""
    code = (
        "import sys; from billwright.runtime.db.migrate import migrate_now;"
        "print(migrate_now(sys.argv[1]))"
    )
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, address, stdout=subprocess.PIPE
        )
        for address in addresses
    ]
    outputs = [(await process.communicate())[0].decode().strip() for process in processes]
    assert {process.returncode for process in processes} == {0}
    return outputs


async def test_an_empty_database_comes_to_the_newest_revision(empty_database):
    assert await current_revision(empty_database) is None
    steps = await migrate(empty_database)
    assert steps == sorted(steps)
    assert steps[-1] == head_revision() == await current_revision(empty_database)


async def test_a_second_time_nothing_happens(empty_database):
    await migrate(empty_database)
    before = await shape_of(empty_database, "public")
    assert await migrate(empty_database) == []
    assert await shape_of(empty_database, "public") == before


async def test_two_processes_at_once_take_each_step_once(empty_database):
    outputs = await migrate_in_processes([empty_database] * 3)
    assert outputs.count("[]") == 2, outputs


async def test_a_failing_step_leaves_the_database_as_it_was(empty_database):
    connection = await asyncpg.connect(empty_database)
    try:
        await connection.execute("create table charge (in_the_way int)")
        with pytest.raises(Exception, match="charge"):
            await migrate(empty_database)
        tables = await connection.fetch(
            "select tablename from pg_tables where schemaname in ('public', 'queue')"
        )
        assert [row["tablename"] for row in tables] == ["charge"]
        await connection.execute("drop table charge")
    finally:
        await connection.close()
    assert (await migrate(empty_database))[-1] == head_revision()


async def test_the_queue_is_what_the_library_would_have_made(
    migrated_database, postgres_server, database_names
):
    name = next(database_names)
    dsn = postgres_server.fresh_database(name)
    try:
        connection = await asyncpg.connect(dsn)
        try:
            settings = DBSettings(db_schema="queue")
            await connection.execute(QueryBuilderEnvironment(settings).build_install_query())
        finally:
            await connection.close()
        expected = await shape_of(dsn, "queue")
    finally:
        postgres_server.drop_database(name)
    assert len(expected) > 50
    assert await shape_of(migrated_database, "queue") == expected


async def test_the_owner_needs_no_superuser(migrated_database, postgres_server):
    name = migrated_database.rpartition("/")[2]
    owners = postgres_server.execute(
        """select distinct r.rolname || ' ' || r.rolsuper || ' ' || r.rolbypassrls
           from pg_class c join pg_roles r on r.oid = c.relowner
           join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('public', 'queue')""",
        database=name,
    )
    assert owners == f"{OWNER} false false"


async def test_an_owner_who_may_not_create_roles_is_given_one(
    postgres_server, database_names, clock, registry
):
    """On a rented server an administrator makes the application's role and lends it."""
    name = next(database_names)
    server = postgres_server.server
    migrate_now_somewhere = postgres_server.fresh_database(name)
    await migrate(migrate_now_somewhere)  # the role exists from here on, whatever ran before
    postgres_server.drop_database(name)
    postgres_server.execute("create role plain_owner login password 'plain'")
    postgres_server.execute(f"grant {APPLICATION_ROLE} to plain_owner")
    postgres_server.execute(f'create database "{name}" owner plain_owner')
    dsn = f"postgresql://plain_owner:plain@{server.host}:{server.port}/{name}"
    try:
        assert (await migrate(dsn))[-1] == head_revision()
        database = await Database.connect(dsn, outbox=_no_outbox, size=1, clock=clock)
        try:
            tenant = await make_tenant(database, "default")
            assert await database.all_tenants() == [tenant.id]
        finally:
            await database.close()
    finally:
        postgres_server.drop_database(name)
        postgres_server.execute("drop role plain_owner")


async def _no_outbox(_connection, _tx) -> None:
    return


async def test_databases_of_one_server_can_be_migrated_at_once(postgres_server, database_names):
    names = [next(database_names) for _ in range(3)]
    addresses = [postgres_server.fresh_database(name) for name in names]
    try:
        outputs = await migrate_in_processes(addresses)
        assert len(set(outputs)) == 1
        assert head_revision() in outputs[0]
    finally:
        for name in names:
            postgres_server.drop_database(name)


def test_a_caller_without_an_event_loop_can_migrate(empty_database):
    assert migrate_now(empty_database)[-1] == head_revision()
    assert migrate_now(empty_database) == []
