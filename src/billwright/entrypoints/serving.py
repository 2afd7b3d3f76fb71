"""How does a process answer HTTP until it is to end?"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from billwright.entrypoints.http_protocol import GatheringProtocol
from billwright.runtime.settings import Settings

# Longer than any request takes, shorter than process supervisors wait before they kill.
GRACE_SECONDS = 10


async def serve(
    application: ASGIApp, *, listener: socket.socket, settings: Settings, stop: asyncio.Event
) -> None:
    """Answer until `stop`; requests that have begun are answered first, for a bounded time."""
    server = _Server(
        uvicorn.Config(
            application,
            http=GatheringProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            forwarded_allow_ips=list(settings.forwarded_allow_ips),
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    server.should_exit = True
    await serving


class _Server(uvicorn.Server):
    """Leaves the signals to the process, which has more to end than the server."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
