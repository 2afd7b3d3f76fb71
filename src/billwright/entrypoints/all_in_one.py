"""How does a whole installation run from one command?

The parent runs the embedded database and two children, the API and the worker, in its own process
group. It restarts nothing: when one of them ends, everything ends, so that whoever started it sees
it. The parent listens before the children exist, so that a taken port is known at once and a client
that comes early waits instead of being refused.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from billwright.entrypoints.configured_tenants import create_missing_tenants
from billwright.entrypoints.database_address import application_address, configured_address
from billwright.entrypoints.listening import AddressUnusable, listening_socket
from billwright.entrypoints.stopping import stop_requested
from billwright.runtime.db.embedded import APPLICATION_LOGIN, EmbeddedPostgres
from billwright.runtime.db.inspection import require_supported
from billwright.runtime.db.migrate import migrate
from billwright.runtime.settings import Settings
from billwright.surfaces.cli.demo_key import read_demo_key
from billwright.surfaces.cli.server_address import server_address, server_url

_CHILD_MODULE = "billwright.entrypoints.child"
_STOP_SECONDS = 30  # longer than what the children allow themselves
_HEALTH_REQUEST = b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class _Child:
    name: str
    process: asyncio.subprocess.Process


async def run(settings: Settings) -> int:
    """Run until a signal or until a part ends; returns the exit code."""
    stop = stop_requested()
    async with _database(settings) as starting:
        listener = await _listener(settings, starting=starting)
        async with _children(listener) as children:
            listener.close()  # the API holds it now; the port is free again as soon as it ends
            addresses = await starting
            await _prepare(settings, dsn=addresses.owner)
            await require_supported(addresses.application)
            for child in children:
                _tell(child, addresses.application)
            ready = asyncio.create_task(_healthy(settings))
            ended = await _first_end(children, stop=stop, ready=ready)
            if ended is None and not stop.is_set():
                _introduce(settings)
                ended = await _first_end(children, stop=stop)
            return 0 if ended is None else _exit_code(ended)


@dataclass(frozen=True, slots=True)
class _Addresses:
    """The same database for who owns the tables, and for the application, which owns nothing."""

    owner: str
    application: str


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[asyncio.Task[_Addresses]]:
    """A task that gives the database's addresses when it runs; the embedded one stops at the end."""
    if settings.database_url is not None:
        configured = _Addresses(configured_address(settings), application_address(settings))
        yield asyncio.create_task(asyncio.sleep(0, configured))
        return
    server = EmbeddedPostgres(settings.billwright_home, bin_dir=settings.postgres_bin_dir)

    def start() -> _Addresses:
        return _Addresses(server.start(), server.dsn_for("billwright", role=APPLICATION_LOGIN))

    starting = asyncio.create_task(asyncio.to_thread(start))
    try:
        yield starting
    finally:
        await asyncio.wait([starting])
        await asyncio.to_thread(server.stop)


async def _listener(settings: Settings, *, starting: asyncio.Task[_Addresses]) -> socket.socket:
    try:
        return listening_socket(settings.host, port=settings.port)
    except AddressUnusable:
        await starting  # that this home is in use already explains a taken port better
        raise


@asynccontextmanager
async def _children(listener: socket.socket) -> AsyncIterator[Sequence[_Child]]:
    children: list[_Child] = []
    try:
        children.append(await _start("api", listener=listener))
        children.append(await _start("worker"))
        yield children
    finally:
        await asyncio.gather(*(_end(child) for child in children))


async def _start(role: str, *, listener: socket.socket | None = None) -> _Child:
    descriptors = [] if listener is None else [listener.fileno()]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", _CHILD_MODULE, role, *map(str, descriptors)),
        stdin=asyncio.subprocess.PIPE,
        pass_fds=descriptors,
    )
    return _Child(role, process)


def _tell(child: _Child, dsn: str) -> None:
    # The address holds a password: a pipe shows it to nobody, unlike arguments and environment.
    if child.process.stdin is not None:
        child.process.stdin.write(f"{dsn}\n".encode())


async def _end(child: _Child) -> None:
    if child.process.returncode is not None:
        return
    child.process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await child.process.wait()
    except TimeoutError:
        sys.stderr.write(f"The {child.name} did not end in {_STOP_SECONDS} seconds; killing it.\n")
        child.process.kill()
        await child.process.wait()


async def _prepare(settings: Settings, *, dsn: str) -> None:
    await require_supported(dsn)
    await migrate(dsn)
    await create_missing_tenants(settings, dsn=dsn)


async def _healthy(settings: Settings) -> None:
    """Return when the API answers its health check; the connection waits until it does."""
    try:
        reader, writer = await asyncio.open_connection(*server_address(settings))
        writer.write(_HEALTH_REQUEST)
        await reader.readline()
        writer.close()
    except OSError:
        await asyncio.Event().wait()  # the API has ended, which is noticed elsewhere


async def _first_end(
    children: Sequence[_Child], *, stop: asyncio.Event, ready: asyncio.Task[None] | None = None
) -> _Child | None:
    """The child that ended by itself; none when `stop` or `ready` came first."""
    ends: dict[asyncio.Task[Any], _Child] = {
        asyncio.create_task(child.process.wait()): child for child in children
    }
    others = {asyncio.create_task(stop.wait()), *([ready] if ready else [])}
    try:
        done, _ = await asyncio.wait({*ends, *others}, return_when=asyncio.FIRST_COMPLETED)
        # Ctrl-C reaches the children too: their end is then an answer to it.
        return next((ends[task] for task in done if task in ends and not stop.is_set()), None)
    finally:
        for task in (*ends, *others):
            task.cancel()


def _exit_code(ended: _Child) -> int:
    code = ended.process.returncode or 0
    sys.stderr.write(f"The {ended.name} has ended with code {code}, so everything ends.\n")
    return 128 - code if code < 0 else code


def _introduce(settings: Settings) -> None:
    address = server_url(settings)
    key = read_demo_key(settings.billwright_home, settings.tenants[0])
    lines = [
        "Billwright is ready.",
        f"  platform API    {address}/api/billing",
        f"  manager API     {address}/api",
        f"  documentation   {address}/api/docs",
        f"  data            {settings.billwright_home}",
    ]
    if settings.environment == "development" and key is not None:
        lines += [f"  demo key        {key}", "  try it          billwright demo"]
    sys.stdout.write("\n".join([*lines, "Ctrl-C stops it.", ""]) + "\n")
    sys.stdout.flush()
