"""How does a child of `billwright up` live?

It loads its code while the database still starts, then reads the database's address from standard
input, a pipe that only the parent can write to, and ends when that pipe does.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable

import uvloop

from billwright.entrypoints.stopping import stop_requested, stop_with_standard_input
from billwright.runtime.settings import Settings, load_settings
from billwright.runtime.telemetry.context import log_context
from billwright.runtime.telemetry.logs import configure_logs

Runner = Callable[[str, asyncio.Event], Awaitable[None]]


def main() -> None:
    """Run as `api <descriptor of the listening socket>` or as `worker`."""
    role, *descriptors = sys.argv[1:]
    settings = load_settings()
    configure_logs(settings.log_format, settings.log_level)
    log_context.set({"process": role})
    run = _api(settings, descriptor=int(descriptors[0])) if role == "api" else _worker(settings)
    dsn = sys.stdin.readline().strip()
    if dsn:  # else the parent has ended
        uvloop.run(_until_told(run, dsn=dsn))


def _api(settings: Settings, *, descriptor: int) -> Runner:
    from billwright.entrypoints.api import Api  # noqa: PLC0415 - a child loads its own role alone

    api, listener = Api(settings), socket.socket(fileno=descriptor)
    return lambda dsn, stop: api.run(dsn, listener=listener, stop=stop)


def _worker(settings: Settings) -> Runner:
    from billwright.entrypoints.worker import BackgroundWork  # noqa: PLC0415

    work = BackgroundWork(settings)
    return lambda dsn, stop: work.run(dsn, stop=stop)


async def _until_told(run: Runner, *, dsn: str) -> None:
    stop = stop_requested()
    stop_with_standard_input(stop)
    await run(dsn, stop)


if __name__ == "__main__":
    main()
