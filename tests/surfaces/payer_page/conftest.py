"""What does a test of the payer's pages stand on? The whole application, as a browser meets it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from billwright.entrypoints.application import Application
from billwright.features.payment_providers.port import PaymentProviders
from billwright.features.payments.operations.pay_link import PayLinks
from billwright.providers.document.typst.renderer import TypstInvoiceRenderer
from billwright.providers.payment import discover
from billwright.providers.payment.sandbox.provider import SandboxProvider
from billwright.runtime.db.database import Database
from billwright.runtime.settings import load_settings
from billwright.surfaces.web.wiring import Wiring
from tests.conftest import BOX

ADDRESS = "https://billing.example.com"
LINKS = PayLinks(ADDRESS, BOX)


@pytest.fixture
def sandbox(database: Database) -> SandboxProvider:
    return SandboxProvider(database.clock.now, pages_url=f"{ADDRESS}/sandbox")


@pytest.fixture
def providers(sandbox: SandboxProvider) -> PaymentProviders:
    """What the pages pay with; a test may take the sandbox out."""
    return PaymentProviders({**discover(), "sandbox": sandbox})


def application_of(
    database: Database, providers: PaymentProviders, *, home: Path, **variables: str
) -> Application:
    settings = load_settings(
        {"BILLWRIGHT_HOME": str(home), "PUBLIC_URL": ADDRESS, "LOG_FORMAT": "json", **variables}
    )
    application = Application(settings)
    application.wire(
        Wiring(
            database=database,
            metrics=application.metrics,
            invoice_renderer=TypstInvoiceRenderer(),
            payment_providers=providers,
            secret_box=BOX,
        )
    )
    return application


def browser_of(application: Application) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(application.asgi, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url=ADDRESS)


@pytest_asyncio.fixture
async def browser(
    database: Database, providers: PaymentProviders, tmp_path: Path
) -> AsyncIterator[httpx2.AsyncClient]:
    """A payer's browser, which follows nothing by itself."""
    async with browser_of(application_of(database, providers, home=tmp_path)) as browser:
        yield browser
