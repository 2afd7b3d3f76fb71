"""On which database does a benchmark run?"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from billwright.runtime.db.embedded import SUPERUSER, EmbeddedPostgres
from billwright.runtime.db.migrate import migrate_now


@contextmanager
def temporary_home() -> Iterator[Path]:
    """A home that another account may pass through, as an embedded server under root needs it."""
    folder = Path(tempfile.mkdtemp(prefix="billwright-benchmark-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def durable_server() -> Iterator[EmbeddedPostgres]:
    """A server of our own with the settings that the product gives to its embedded one.

    They are durable: each commit waits for the disk.
    """
    with temporary_home() as home, EmbeddedPostgres(home) as server:
        yield server


def empty_database(server: EmbeddedPostgres, name: str) -> str:
    """The owner's address of a new database without any table."""
    asyncio.run(_create(server, name))
    return server.dsn_for(name)


def migrated_database(server: EmbeddedPostgres, name: str) -> str:
    """The owner's address of a new database with the product's schema."""
    dsn = empty_database(server, name)
    migrate_now(dsn)
    return dsn


async def _create(server: EmbeddedPostgres, name: str) -> None:
    connection = await asyncpg.connect(server.dsn_for("postgres", role=SUPERUSER))
    try:
        await connection.execute(f'create database "{name}" owner billwright')
    finally:
        await connection.close()
