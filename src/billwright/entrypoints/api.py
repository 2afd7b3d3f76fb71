"""How does the process that answers HTTP come up, and end?"""

from __future__ import annotations

import asyncio
import socket

import structlog

import billwright.features
from billwright import __version__
from billwright.entrypoints.application import Application
from billwright.entrypoints.serving import GRACE_SECONDS, serve
from billwright.features.identity.operations.session_keys import session_keys
from billwright.features.webhooks.model import TargetPolicy
from billwright.providers.document.typst.renderer import TypstInvoiceRenderer
from billwright.providers.identity.oidc import oidc_issuer
from billwright.providers.payment import discover as discover_payment_providers
from billwright.runtime.db.database import Database
from billwright.runtime.garbage import collect_rarely
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import discover
from billwright.runtime.secrets import load_key
from billwright.runtime.settings import Settings
from billwright.runtime.telemetry.collector import collector_of
from billwright.runtime.telemetry.tracing import configure_tracing
from billwright.surfaces.web.wiring import Wiring

_log = structlog.get_logger(__name__)


class Api:
    """The HTTP server of all surfaces; making one loads everything that needs no database."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tracing = configure_tracing(collector_of(settings), version=__version__)
        self._registry = discover(billwright.features)
        self._renderer = TypstInvoiceRenderer()
        self._payment_providers = discover_payment_providers(settings)
        self._secret_box = load_key(settings)
        secret = settings.jwt_secret
        self._session_keys = session_keys(
            self._secret_box, secret=None if secret is None else secret.get_secret_value()
        )
        self._token_issuer = (
            oidc_issuer(settings) if settings.authentication_method == "keycloak" else None
        )
        self._application = Application(settings)
        if settings.environment == "production" and not settings.cors_origin:
            _log.warning("no web page may call the manager API: CORS_ORIGIN is not set")
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
                    session_keys=self._session_keys,
                    token_issuer=self._token_issuer,
                    platform_users=self._settings.platform_api_users
                    and self._settings.authentication_method != "api-key",
                )
            )
            await serve(
                self._application.asgi, listener=listener, settings=self._settings, stop=stop
            )
        finally:
            async with asyncio.timeout(GRACE_SECONDS):
                await database.close()
            if self._tracing is not None:
                self._tracing.shutdown()
