"""Can this version work on that database?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import asyncpg

from billwright.runtime.clock import Clock
from billwright.runtime.db.database import APPLICATION_ROLE
from billwright.runtime.db.embedded import HOST
from billwright.runtime.db.embedded_cluster import OWNER, password_in
from billwright.runtime.db.migrate import head_revision

SUPPORTED_MAJORS = range(15, 19)
_CONNECT_SECONDS = 10


class DatabaseUnusable(Exception):  # noqa: N818 - an answer to the operator
    """The database cannot be worked on; the text tells the operator why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was found; `clock_ahead` is how far the database's clock is ahead of this machine's.

    `role_problem` says why the application's role cannot be taken; none when it can.
    """

    major: int
    revision: str | None
    clock_ahead: timedelta
    role_problem: str | None
    role_bypasses_row_security: bool
    unprotected_tables: tuple[str, ...]


async def inspect(dsn: str, *, clock: Clock) -> Inspection:
    """Look at a database without changing it. Raises `DatabaseUnusable` when it is out of reach."""
    connection = await _connected(dsn)
    try:
        before = clock.now()
        # tidy: ambient-time - the database's clock is what is asked about
        theirs: datetime = await connection.fetchval("select clock_timestamp()")
        between = before + (clock.now() - before) / 2
        return Inspection(
            major=connection.get_server_version().major,
            revision=await _revision(connection),
            clock_ahead=theirs - between,
            role_problem=await _role_problem(connection),
            role_bypasses_row_security=await _bypasses_row_security(connection),
            unprotected_tables=await _unprotected_tables(connection),
        )
    finally:
        await connection.close()


async def require_supported(dsn: str) -> None:
    """Refuse (`DatabaseUnusable`) a server that is out of reach or of an unsupported version."""
    connection = await _connected(dsn)
    try:
        version = connection.get_server_version()
    finally:
        await connection.close()
    if version.major not in SUPPORTED_MAJORS:
        raise DatabaseUnusable(
            f"The database server is PostgreSQL {version.major}; Billwright works with "
            f"{SUPPORTED_MAJORS[0]} to {SUPPORTED_MAJORS[-1]}."
        )


async def require_current_schema(dsn: str) -> None:
    """Refuse (`DatabaseUnusable`) a database whose schema is not the one this version works with."""
    connection = await _connected(dsn)
    try:
        revision = await _revision(connection)
    finally:
        await connection.close()
    if revision != head_revision():
        raise DatabaseUnusable(
            f"The database's schema stands at revision {revision or 'none'}, but this version of "
            f"Billwright works with {head_revision()}. Run: billwright migrate"
        )


async def missing_tenants(dsn: str, codes: Sequence[str]) -> list[str]:
    """Those of the codes that no tenant has, in a migrated database and asked as its owner."""
    connection = await _connected(dsn)
    try:
        found = await connection.fetch("select code from tenant where code = any($1)", codes)
    finally:
        await connection.close()
    known = {row["code"] for row in found}
    return [code for code in codes if code not in known]


def running_address(home: Path) -> str | None:
    """The owner's address of the embedded database that another process runs on `home`, if any."""
    for pid_file in home.glob("postgres/*/data/postmaster.pid"):
        lines = pid_file.read_text().splitlines()
        if len(lines) >= 8 and lines[7].strip() == "ready":
            password = quote(password_in(pid_file.parent.parent))
            return f"postgresql://{OWNER}:{password}@{HOST}:{lines[3]}/{OWNER}"
    return None


async def _connected(dsn: str) -> asyncpg.Connection[asyncpg.Record]:
    try:
        return await asyncpg.connect(dsn, timeout=_CONNECT_SECONDS)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        reason = str(error) or type(error).__name__  # a timeout has no text
        raise DatabaseUnusable(
            f"The database cannot be reached: {reason}. Check DATABASE_URL, and that the server "
            "runs and admits this machine."
        ) from error


async def _revision(connection: asyncpg.Connection[asyncpg.Record]) -> str | None:
    if await connection.fetchval("select to_regclass('alembic_version')") is None:
        return None
    revision: str | None = await connection.fetchval("select version_num from alembic_version")
    return revision


async def _role_problem(connection: asyncpg.Connection[asyncpg.Record]) -> str | None:
    try:
        await connection.execute(f"set role {APPLICATION_ROLE}")
    except asyncpg.PostgresError as error:
        return str(error)
    await connection.execute("reset role")
    return None


async def _bypasses_row_security(connection: asyncpg.Connection[asyncpg.Record]) -> bool:
    found: bool = await connection.fetchval(
        "select coalesce(bool_or(rolsuper or rolbypassrls), false) from pg_roles where rolname = $1",
        APPLICATION_ROLE,
    )
    return found


async def _unprotected_tables(connection: asyncpg.Connection[asyncpg.Record]) -> tuple[str, ...]:
    """Tables whose rows the application could see without naming a tenant."""
    rows = await connection.fetch(
        """select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
           where n.nspname = 'public' and c.relkind in ('r', 'p') and c.relname <> 'alembic_version'
             and (not c.relrowsecurity or pg_get_userbyid(c.relowner) = $1)
           order by c.relname""",
        APPLICATION_ROLE,
    )
    return tuple(row["relname"] for row in rows)
