"""Does the migrated database keep the rules of the schema?"""

import asyncio

import asyncpg

from tools.schema_rules import schema_findings


async def _findings(dsn):
    connection = await asyncpg.connect(dsn)
    try:
        tables = await connection.fetchval(
            "select count(*) from pg_class where relnamespace = 'public'::regnamespace"
            " and relkind = 'r'"
        )
        return tables, *await schema_findings(connection)
    finally:
        await connection.close()


def test_schema_keeps_its_rules(migrated_database):
    tables, found, unneeded_exceptions = asyncio.run(_findings(migrated_database))
    assert tables > 1
    assert found == []
    assert unneeded_exceptions == set()
