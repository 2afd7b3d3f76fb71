"""Does every address reach the part that answers it, and only who may see the numbers?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import httpx2
import pytest

from billwright.entrypoints.application import Application
from billwright.features.identity.operations.create_api_key import create_api_key
from billwright.providers.document.typst.renderer import TypstInvoiceRenderer
from billwright.providers.payment import discover
from billwright.runtime.db.database import Database
from billwright.runtime.settings import load_settings
from billwright.surfaces.web.wiring import Wiring
from tests.conftest import BOX, Tenant

TOKEN = "0123456789abcdef"


@pytest.fixture
def client(tmp_path: Path, database: Database) -> Callable[..., httpx2.AsyncClient]:
    """Makes a caller at an address, of an application with the given settings."""

    def make(address: str = "127.0.0.1", **variables: str) -> httpx2.AsyncClient:
        settings = load_settings({"BILLWRIGHT_HOME": str(tmp_path), **variables})
        application = Application(settings)
        application.wire(
            Wiring(
                database=database,
                metrics=application.metrics,
                invoice_renderer=TypstInvoiceRenderer(),
                payment_providers=discover(),
                secret_box=BOX,
            )
        )
        transport = httpx2.ASGITransport(application.asgi, client=(address, 4711))
        return httpx2.AsyncClient(transport=transport, base_url="http://billing.test")

    return make


async def test_each_surface_answers_in_its_own_form(client):
    async with client() as caller:
        manager = await caller.get("/api/nothing")
        assert (manager.status_code, manager.json()["message"]) == (404, "Cannot GET /api/nothing")
        platform = await caller.get("/api/billing/nothing")
        assert (platform.status_code, platform.json()["code"]) == (404, "route_not_found")
        outside = await caller.get("/nothing")
        assert (outside.status_code, outside.json()["code"]) == (404, "route_not_found")
        assert (await caller.get("/")).headers["location"] == "/api/docs"
        for answer in (manager, platform, outside):
            assert answer.headers["x-correlation-id"] == answer.headers["x-request-id"]


async def test_the_tenant_rule_holds_for_the_manager_api_alone(client):
    unknown = {"X-Tenant": "nobody"}
    async with client() as caller:
        assert (await caller.get("/api/config", headers=unknown)).status_code == 400
        assert (await caller.get("/api/nothing", headers=unknown)).status_code == 400
        for path, status in {
            "/api/health": 200,
            "/api/openapi.json": 200,
            "/api/docs": 200,
            "/api/billing/openapi.json": 200,
            "/api/billing/accounts": 401,
            "/api/webhooks/payments/stripe": 404,
        }.items():
            assert (await caller.get(path, headers=unknown)).status_code == status, path


async def test_the_documentation_shows_documents_that_exist(client):
    async with client() as caller:
        script = (await caller.get("/api/docs/start.js")).text
        for path in ("/api/billing/openapi.json", "/api/openapi.json"):
            assert path in script
            document = (await caller.get(path)).json()
            assert document["servers"] == [{"url": path.removesuffix("/openapi.json")}]


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", [], 200),
        ("::1", [], 200),
        ("192.0.2.7", [], 403),
        ("127.0.0.1", ["X-Forwarded-For"], 403),
        ("127.0.0.1", ["Forwarded"], 403),
    ],
)
async def test_without_a_token_the_numbers_are_for_this_machine(
    client, address: str, headers: Sequence[str], status: int
):
    async with client(address) as caller:
        answer = await caller.get("/metrics", headers=dict.fromkeys(headers, "127.0.0.1"))
    assert answer.status_code == status
    assert ("billwright_http_request_seconds" in answer.text) == (status == 200)


@pytest.mark.parametrize(
    ("authorization", "status"),
    [(None, 401), (TOKEN, 401), (f"Bearer {TOKEN}x", 401), (f"Bearer {TOKEN}", 200)],
)
async def test_with_a_token_the_numbers_are_for_its_holder(
    client, authorization: str | None, status: int
):
    headers = {} if authorization is None else {"Authorization": authorization}
    async with client("192.0.2.7", METRICS_TOKEN=TOKEN) as caller:
        answer = await caller.get("/metrics", headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("enabled", "password", "given", "status"),
    [
        ("true", "word", "Basic bmFtZTp3b3Jk", 200),
        ("true", "word", "basic bmFtZTp3b3Jk", 200),
        ("true", "word", "Basic bmFtZTpvdGhlcg==", 401),
        ("true", "word", f"Bearer {TOKEN}", 401),
        ("true", "word", None, 401),
        ("true", None, "Basic bmFtZTo=", 404),
        ("TRUE", "word", "Basic bmFtZTp3b3Jk", 404),
    ],
)
async def test_the_numbers_are_shown_to_who_knows_the_password_where_that_is_on(
    client, enabled: str, password: str | None, given: str | None, status: int
):
    variables = {"OTEL_ENABLED": enabled, "OTEL_USERNAME": "name", "METRICS_TOKEN": TOKEN}
    if password is not None:
        variables["OTEL_PASSWORD"] = password
    headers = {} if given is None else {"Authorization": given}
    async with client("192.0.2.7", **variables) as caller:
        answer = await caller.get("/otel/metrics", headers=headers)
        assert answer.status_code == status
        assert ("billwright_http_request_seconds" in answer.text) == (status == 200)
        if status == 401:
            assert answer.headers["www-authenticate"] == 'Basic realm="OpenTelemetry"'
        assert (await caller.get("/metrics", headers=headers)).status_code == (
            200 if given == f"Bearer {TOKEN}" else 401
        )


async def test_stored_numbers_are_of_every_tenant(client, tenant: Tenant, other_tenant: Tenant):
    async with client() as caller:
        numbers = (await caller.get("/metrics")).text
    for name in ("invoices_open", "invoices_overdue", "subscriptions_active"):
        for code in ("default", "other"):
            assert f'billwright_{name}{{tenant_id="{code}"}} 0.0' in numbers
    assert 'billwright_queue_jobs{state="failed"} 0.0' in numbers


async def test_numbers_are_read_when_the_database_is_away(client, database: Database):
    await database.close()
    async with client() as caller:
        answer = await caller.get("/metrics")
    assert answer.status_code == 200
    assert "billwright_http_request_seconds" in answer.text


async def test_requests_are_counted_by_the_whole_address_of_their_route(client):
    async with client() as caller:
        for path in (
            "/api/health",
            "/api/billing/accounts",
            "/api/nothing",
            "/api/billing/nothing",
        ):
            await caller.get(path)
        numbers = (await caller.get("/metrics")).text
    for route in ("/api/health", "/api/billing/accounts", "unmatched"):
        assert f'route="{route}"' in numbers
    assert 'route="/health"' not in numbers


async def test_a_body_that_is_too_large_is_refused(client, tenant: Tenant):
    async with tenant.tx() as tx:
        key = await create_api_key(tx, name="Test")
    headers = {"Authorization": f"Bearer {key.text}", "Content-Type": "application/json"}
    async with client() as caller:
        body = b" " * (1024 * 1024 + 1)
        answer = await caller.post("/api/billing/accounts", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
