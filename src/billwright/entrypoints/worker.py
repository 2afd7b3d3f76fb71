"""How does the process that works in the background come up, and end?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any

import structlog

import billwright.features
from billwright import __version__
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
from billwright.runtime.telemetry.metrics import Metrics
from billwright.runtime.telemetry.tracing import configure_tracing

_GRACE_SECONDS = 20

_log = structlog.get_logger(__name__)


class BackgroundWork:
    """One worker; making one loads everything that needs no database."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tracing = configure_tracing(settings.otel_exporter_otlp_endpoint, version=__version__)
        self._metrics = Metrics()
        self._registry = discover(billwright.features)
        secret_box = load_key(settings)
        self._providers: Mapping[type[Any], Any] = {
            PaymentProviders: discover_payment_providers(settings),
            SecretBox: secret_box,
            PayLinks: PayLinks(settings.public_url, secret_box),
            VatIdRegister: ViesRegister(),
            MailChannel: MailChannel(mailer_for(settings), parseaddr(settings.email_from)[1]),
            Notifier: notifier_for(settings),
            WebhookSender: HttpsSender(TargetPolicy(unrestricted=settings.webhooks_allow_private)),
        }
        collect_rarely()

    async def run(self, dsn: str, *, stop: asyncio.Event) -> None:
        """Work until `stop`; what has begun is finished first, for a bounded time.

        A job that is cut off is given to another worker, or to this one when it is started again.
        """
        database = await Database.connect(
            dsn,
            outbox=QueueOutbox(self._registry),
            size=self._settings.database_pool_size,
            metrics=self._metrics,
        )
        try:
            worker = Worker(
                database,
                self._registry,
                dsn=dsn,
                providers=self._providers,
                metrics=self._metrics,
            )
            await self._work(worker, stop=stop)
        finally:
            async with asyncio.timeout(_GRACE_SECONDS):
                await database.close()
            if self._tracing is not None:
                self._tracing.shutdown()

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


def notifier_for(settings: Settings) -> Notifier | None:
    """The notification service of the settings, if there is one."""
    url, secret = settings.notification_url, settings.notification_secret
    if url is None or secret is None:
        return None
    return HttpNotifier(url, secret=secret.get_secret_value())
