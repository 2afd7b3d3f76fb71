"""Can Billwright work on its database?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from billwright.runtime.clock import SystemClock
from billwright.runtime.db.embedded import (
    EmbeddedPostgres,
    EmbeddedPostgresError,
    InstanceRunning,
)
from billwright.runtime.db.inspection import (
    SUPPORTED_MAJORS,
    DatabaseUnusable,
    Inspection,
    inspect,
    running_address,
)
from billwright.runtime.db.migrate import head_revision
from billwright.runtime.settings import Settings
from billwright.surfaces.cli.findings import Finding, Verdict, fine, problem, warning

_TOLERATED_DIFFERENCE = timedelta(seconds=2)
_MIGRATE = "Run: billwright migrate"


def database_findings(settings: Settings) -> Iterator[Finding]:
    """Everything about the database; an embedded one that does not run is run meanwhile."""
    embedded = settings.database_url is None
    if embedded and not any(settings.billwright_home.glob("postgres/*/data")):
        yield fine("database", text="none yet; the first `billwright up` creates it")
        return
    try:
        with _address(settings) as dsn:
            found = asyncio.run(inspect(dsn, clock=SystemClock()))
    except (DatabaseUnusable, EmbeddedPostgresError) as error:
        yield Finding("database", Verdict.PROBLEM, str(error))  # its text says what to do
        return
    yield _version_finding(found, kind="embedded" if embedded else "DATABASE_URL")
    yield from _schema_findings(found)
    yield _clock_finding(found)


@contextmanager
def _address(settings: Settings) -> Iterator[str]:
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    server = EmbeddedPostgres(settings.billwright_home, bin_dir=settings.postgres_bin_dir)
    try:
        dsn = server.start()
    except InstanceRunning:
        running = running_address(settings.billwright_home)
        if running is None:
            raise
        yield running
        return
    try:
        yield dsn
    finally:
        server.stop()


def _version_finding(found: Inspection, *, kind: str) -> Finding:
    if found.major in SUPPORTED_MAJORS:
        return fine("database", text=f"PostgreSQL {found.major}, {kind}")
    return problem(
        "database",
        text=f"PostgreSQL {found.major} is not supported",
        remedy=f"Use PostgreSQL {SUPPORTED_MAJORS[0]} to {SUPPORTED_MAJORS[-1]}.",
    )


def _schema_findings(found: Inspection) -> Iterator[Finding]:
    wanted = head_revision()
    if found.revision != wanted:
        newer = found.revision is not None and found.revision > wanted
        yield problem(
            "schema",
            text=f"at revision {found.revision or 'none'}, this version works with {wanted}",
            remedy="Install the Billwright that migrated it, or a newer one."
            if newer
            else _MIGRATE,
        )
        return
    yield fine("schema", text=f"revision {wanted}")
    if found.role_problem is not None:
        yield problem(
            "database role",
            text=f"the application's role cannot be taken: {found.role_problem}",
            remedy="As a superuser run: grant billwright_app to <the user of DATABASE_URL>",
        )
    elif found.role_bypasses_row_security:
        yield problem(
            "database role",
            text="the application's role could see the rows of every tenant",
            remedy="As a superuser run: alter role billwright_app nosuperuser nobypassrls",
        )
    else:
        yield fine("database role", text="billwright_app, bound by row-level security")
    if found.unprotected_tables:
        names = ", ".join(found.unprotected_tables)
        yield problem(
            "row security",
            text=f"tables without protection: {names}",
            remedy="Someone has changed the schema; restore row-level security and ownership.",
        )


def _clock_finding(found: Inspection) -> Finding:
    seconds = found.clock_ahead.total_seconds()
    text = f"the database is {abs(seconds):.1f} s {'ahead' if seconds > 0 else 'behind'}"
    if abs(found.clock_ahead) <= _TOLERATED_DIFFERENCE:
        return fine("clock", text="the same as the database's")
    return warning("clock", text=text, remedy="Synchronize both machines with a time server.")
