"""What does a test of the platform API stand on? The real application on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI

from billwright.features.identity.model import FULL_ACCESS
from billwright.features.identity.operations.create_api_key import create_api_key
from billwright.features.invoicing.port import InvoiceRenderer
from billwright.providers.document.typst.renderer import TypstInvoiceRenderer
from billwright.providers.payment import discover as discover_payment_providers
from billwright.runtime.db.database import Database
from billwright.runtime.telemetry.metrics import Metrics
from billwright.surfaces.platform_api.app import create_platform_api
from billwright.surfaces.web.wiring import Wiring
from tests.conftest import BOX, Tenant


@pytest.fixture(scope="session")
def renderer() -> InvoiceRenderer:
    return TypstInvoiceRenderer()


@pytest.fixture
def application(database: Database, renderer: InvoiceRenderer) -> FastAPI:
    """The platform API, wired as a process wires it."""
    application = create_platform_api()
    application.state.wiring = Wiring(
        database=database,
        metrics=Metrics(),
        invoice_renderer=renderer,
        payment_providers=discover_payment_providers(),
        secret_box=BOX,
    )
    return application


async def key_of(tenant: Tenant, scopes: Sequence[str] = (FULL_ACCESS,)) -> str:
    async with tenant.tx() as tx:
        return (await create_api_key(tx, name="platform", scopes=scopes)).text


def client_of(application: FastAPI, key: str | None = None) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=application, raise_app_exceptions=False),
        base_url="http://billing",
        headers={"Authorization": f"Bearer {key}"} if key else {},
    )


@pytest_asyncio.fixture
async def client(application: FastAPI, tenant: Tenant) -> AsyncIterator[httpx2.AsyncClient]:
    """The tenant's own backend."""
    async with client_of(application, await key_of(tenant)) as client:
        yield client


@pytest_asyncio.fixture
async def other_client(
    application: FastAPI, other_tenant: Tenant
) -> AsyncIterator[httpx2.AsyncClient]:
    """Another tenant's backend."""
    async with client_of(application, await key_of(other_tenant)) as client:
        yield client
