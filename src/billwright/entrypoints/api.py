"""How does the process that answers HTTP come up, and end?"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

import billwright.features
from billwright import __version__
from billwright.entrypoints.application import Application
from billwright.features.webhooks.model import TargetPolicy
from billwright.providers.document.typst.renderer import TypstInvoiceRenderer
from billwright.providers.payment import discover as discover_payment_providers
from billwright.runtime.db.database import Database
from billwright.runtime.garbage import collect_rarely
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import discover
from billwright.runtime.secrets import load_key
from billwright.runtime.settings import Settings
from billwright.runtime.telemetry.tracing import configure_tracing
from billwright.surfaces.web.wiring import Wiring

# Longer than any request takes, shorter than process supervisors wait before they kill.
_GRACE_SECONDS = 10


class Api:
    """The HTTP server of all surfaces; making one loads everything that needs no database."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tracing = configure_tracing(settings.otel_exporter_otlp_endpoint, version=__version__)
        self._registry = discover(billwright.features)
        self._renderer = TypstInvoiceRenderer()
        self._payment_providers = discover_payment_providers(settings)
        self._secret_box = load_key(settings)
        self._application = Application(settings)
        collect_rarely()

    async def run(self, dsn: str, *, listener: socket.socket, stop: asyncio.Event) -> None:
        """Answer until `stop`; requests that have begun are answered first, for a bounded time."""
        metrics = self._application.metrics
        database = await Database.connect(
            dsn,
            outbox=QueueOutbox(self._registry),
            size=self._settings.database_pool_size,
            metrics=metrics,
        )
        try:
            metrics.watch_pool(database.pool_use)
            self._application.wire(
                Wiring(
                    database=database,
                    metrics=metrics,
                    invoice_renderer=self._renderer,
                    payment_providers=self._payment_providers,
                    secret_box=self._secret_box,
                    default_tenant=self._settings.tenants[0],
                    webhook_targets=TargetPolicy(
                        unrestricted=self._settings.webhooks_allow_private
                    ),
                )
            )
            await self._serve(listener, stop=stop)
        finally:
            async with asyncio.timeout(_GRACE_SECONDS):
                await database.close()
            if self._tracing is not None:
                self._tracing.shutdown()

    async def _serve(self, listener: socket.socket, *, stop: asyncio.Event) -> None:
        server = _Server(
            uvicorn.Config(
                self._application.asgi,
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
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
