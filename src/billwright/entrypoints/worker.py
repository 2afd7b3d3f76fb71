"""How does the process that works in the background come up, and end?"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from email.utils import parseaddr
from typing import Any

import structlog
from starlette.applications import Starlette

import billwright.features
from billwright import __version__
from billwright.entrypoints.listening import listening_socket
from billwright.entrypoints.metrics_page import MetricsPage
from billwright.entrypoints.serving import serve
from billwright.features.notifications.operations.console_link import ConsoleLinks
from billwright.features.notifications.port import (
    MailChannel,
    Mailer,
    Notifier,
)
from billwright.features.payment_providers.port import PaymentProviders
from billwright.features.payments.operations.pay_link import PayLinks
from billwright.features.tax.port import VatIdRegister
from billwright.features.webhooks.model import TargetPolicy
from billwright.features.webhooks.port import WebhookSender
from billwright.providers.mail.folder import FolderMailer
from billwright.providers.mail.smtp import SmtpMailer, SmtpServer, TlsMode
from billwright.providers.notification.http_api import HttpNotifier
from billwright.providers.payment import discover as discover_payment_providers
from billwright.providers.vat.vies.register import ViesRegister
from billwright.providers.webhook.https import HttpsSender
from billwright.runtime.db.database import Database
from billwright.runtime.garbage import collect_rarely
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import discover
from billwright.runtime.queue.worker import Worker
from billwright.runtime.secrets import SecretBox, load_key
from billwright.runtime.settings import Settings
from billwright.runtime.telemetry.collector import collector_of
from billwright.runtime.telemetry.metrics import Metrics
from billwright.runtime.telemetry.tracing import configure_tracing

_GRACE_SECONDS = 20

_log = structlog.get_logger(__name__)


class BackgroundWork:
    """One worker; making one loads everything that needs no database."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tracing = configure_tracing(collector_of(settings), version=__version__)
        self._metrics = Metrics()
        self._registry = discover(billwright.features)
        secret_box = load_key(settings)
        self._providers: Mapping[type[Any], Any] = {
            PaymentProviders: discover_payment_providers(settings),
            SecretBox: secret_box,
            PayLinks: PayLinks(settings.public_url, secret_box),
            ConsoleLinks: console_links_for(settings),
            VatIdRegister: ViesRegister(),
            MailChannel: MailChannel(mailer_for(settings), parseaddr(settings.email_from)[1]),
            Notifier: notifier_for(settings),
            WebhookSender: HttpsSender(TargetPolicy(unrestricted=settings.webhooks_allow_private)),
        }
        collect_rarely()

    async def run(self, dsn: str, *, stop: asyncio.Event) -> None:
        """Work until `stop`; what has begun is finished first, for a bounded time.

        A job that is cut off is given to another worker, or to this one when it is started again.
        With METRICS_PORT set, the numbers can be read meanwhile.
        """
        port = self._settings.metrics_port
        listener = listening_socket(self._settings.host, port=port) if port else None
        database = await Database.connect(
            dsn,
            outbox=QueueOutbox(self._registry),
            size=self._settings.database_pool_size,
            metrics=self._metrics,
        )
        try:
            self._metrics.watch_pool(database.pool_use)
            worker = Worker(
                database,
                self._registry,
                dsn=dsn,
                providers=self._providers,
                metrics=self._metrics,
            )
            async with self._numbers_shown(listener):
                await self._work(worker, stop=stop)
        finally:
            async with asyncio.timeout(_GRACE_SECONDS):
                await database.close()
            if self._tracing is not None:
                self._tracing.shutdown()

    @asynccontextmanager
    async def _numbers_shown(self, listener: socket.socket | None) -> AsyncIterator[None]:
        """Nothing but the numbers is answered, and only on the port that was set for them."""
        if listener is None:
            yield
            return
        page = Starlette(routes=MetricsPage(self._metrics, self._settings).routes())
        over = asyncio.Event()
        serving = asyncio.create_task(
            serve(page, listener=listener, settings=self._settings, stop=over)
        )
        try:
            yield
        finally:
            over.set()
            await serving

    async def _work(self, worker: Worker, *, stop: asyncio.Event) -> None:
        _log.info("working", sweeps=[sweep.name for sweep in self._registry.sweeps])
        working = asyncio.create_task(worker.run())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        worker.stop()
        try:
            async with asyncio.timeout(_GRACE_SECONDS):
                await working
        except TimeoutError:
            _log.warning("running jobs were cut off", after_seconds=_GRACE_SECONDS)


def mailer_for(settings: Settings) -> Mailer:
    """The mail server of the settings; without one, the mail folder."""
    if settings.smtp_host is None:
        return FolderMailer(settings.mail_folder)
    password = settings.smtp_password
    return SmtpMailer(
        SmtpServer(
            host=settings.smtp_host,
            port=settings.smtp_port,
            tls=TlsMode(settings.smtp_tls),
            username=settings.smtp_user,
            password=password.get_secret_value() if password else None,
        )
    )


def console_links_for(settings: Settings) -> ConsoleLinks:
    """The consoles of the settings; the address that stands in for one has no pages of a console."""
    is_set = "billing_frontend_url" in settings.model_fields_set
    shared = settings.billing_frontend_url if is_set else None
    return ConsoleLinks(shared, settings.tenant_frontend_urls)


def notifier_for(settings: Settings) -> Notifier | None:
    """The notification service of the settings, if there is one."""
    url, secret = settings.notification_url, settings.notification_secret
    if url is None or secret is None:
        return None
    return HttpNotifier(url, secret=secret.get_secret_value())
