"""Where do tests find a real PostgreSQL?

Each pytest process (each worker of pytest-xdist) starts one embedded server when its first test
asks for it. Measured on two cores: 0.5 s per server, side by side; sharing one server would save
none of that time, and would make tests of roles, locks and crashes see each other.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from billwright.runtime.db.embedded import SUPERUSER, EmbeddedPostgres

# A test's data may be lost with the machine.
FAST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "200",
    "autovacuum_naptime": "5min",
}


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """A running server and how to get databases on it; works with and without an event loop."""

    server: EmbeddedPostgres

    def dsn_for(self, database: str) -> str:
        """The owner's address of a database: creates databases and roles, is no superuser."""
        return self.server.dsn_for(database)

    def superuser_dsn_for(self, database: str) -> str:
        return self.server.dsn_for(database, role=SUPERUSER)

    def execute(self, statement: str, *, database: str = "postgres") -> str:
        """Run one statement as the superuser outside any transaction; what `psql` printed."""
        return subprocess.run(
            [
                self.server.bin_dir / "psql",
                *("--no-psqlrc", "--quiet", "--tuples-only", "--no-align"),
                *("--set", "ON_ERROR_STOP=1", "--command", statement),
                self.superuser_dsn_for(database),
            ],
            check=True,
            text=True,
            stdout=subprocess.PIPE,
        ).stdout.strip()

    def template(self, name: str, prepare: Callable[[str], object]) -> str:
        """Create a database, let `prepare` fill it by its address, and return its name."""
        self.execute(f'create database "{name}" owner billwright')
        prepare(self.dsn_for(name))
        return name

    def fresh_database(self, name: str, *, template: str = "template1") -> str:
        """Create a database as a copy of a template to which nobody is connected; its address."""
        self.execute(
            f'create database "{name}" owner billwright template "{template}" strategy file_copy'
        )
        return self.dsn_for(name)

    def drop_database(self, name: str) -> None:
        """Drop a database together with the connections that are still open to it."""
        self.execute(f'drop database if exists "{name}" with (force)')


@contextmanager
def reachable_folder(prefix: str = "billwright-test-") -> Iterator[Path]:
    """A temporary folder that another account may pass through, as pytest's own may not be."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[ServerInfo]:
    """This process's own server, gone with the session."""
    with reachable_folder() as home, EmbeddedPostgres(home, settings=FAST_SETTINGS) as server:
        yield ServerInfo(server)
