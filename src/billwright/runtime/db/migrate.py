"""How does a database come to the schema this version needs?"""

from __future__ import annotations

import asyncio
from importlib.resources import files
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_LOCK = 0x62696C6C  # "bill": one migration at a time on a database, whoever starts it


def head_revision() -> str:
    """The newest revision that this version ships."""
    folder = files("billwright.runtime.db.migrations").joinpath("versions")
    return max(entry.name[:4] for entry in folder.iterdir() if entry.name[:4].isdigit())


async def current_revision(dsn: str) -> str | None:
    """The revision a database stands at; none when it was never migrated."""
    connection = await asyncpg.connect(dsn)
    try:
        if await connection.fetchval("select to_regclass('alembic_version')") is None:
            return None
        revision: str | None = await connection.fetchval("select version_num from alembic_version")
        return revision
    finally:
        await connection.close()


async def migrate(dsn: str) -> list[str]:
    """Bring the database at `dsn` (the owner's) to the newest revision; returns the steps taken.

    Safe to call from several processes at once: the second waits and finds nothing to do. All steps
    run in one transaction, so that a failure leaves the schema as it was.
    """
    before = await current_revision(dsn)
    if before == head_revision():
        return []  # without Alembic and SQLAlchemy, whose import would dominate a normal start
    return await _upgrade(dsn)


async def _upgrade(dsn: str) -> list[str]:
    from alembic import command  # noqa: PLC0415 - see migrate
    from alembic.config import Config  # noqa: PLC0415
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415
    from sqlalchemy import text  # noqa: PLC0415
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(files("billwright.runtime.db.migrations")))
    script = ScriptDirectory.from_config(config)

    def run(connection: Connection) -> list[str]:
        # Read under the lock: another process may have taken the steps meanwhile.
        before = MigrationContext.configure(connection).get_current_revision()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        taken = script.iterate_revisions("head", before or "base")
        return [step.revision for step in taken][::-1]

    engine = create_async_engine(
        "postgresql+asyncpg://", poolclass=NullPool, async_creator=lambda: asyncpg.connect(dsn)
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"select pg_advisory_xact_lock({_LOCK})"))
            return await connection.run_sync(run)
    finally:
        await engine.dispose()


def migrate_now(dsn: str) -> list[str]:
    """`migrate` for a caller without an event loop."""
    return asyncio.run(migrate(dsn))
