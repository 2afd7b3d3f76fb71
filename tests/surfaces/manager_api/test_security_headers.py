"""Does every answer tell browsers to be strict, and do pages still show what they have?"""

from __future__ import annotations

import httpx2
import pytest

from billwright.entrypoints.application import Application
from billwright.features.identity.operations.create_api_key import create_api_key
from billwright.providers.document.typst.renderer import TypstInvoiceRenderer
from billwright.providers.payment import discover
from billwright.runtime.settings import load_settings
from billwright.surfaces.web.wiring import Wiring
from tests.conftest import BOX
from tests.surfaces.manager_api.serving import PRODUCTION

STRICT = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@pytest.fixture
def client(tmp_path, database):
    """Makes a caller of an application with the given settings."""

    def make(**variables: str) -> httpx2.AsyncClient:
        application = Application(load_settings({"BILLWRIGHT_HOME": str(tmp_path), **variables}))
        application.wire(
            Wiring(
                database=database,
                metrics=application.metrics,
                invoice_renderer=TypstInvoiceRenderer(),
                payment_providers=discover(),
                secret_box=BOX,
            )
        )
        transport = httpx2.ASGITransport(application.asgi, client=("127.0.0.1", 4711))
        return httpx2.AsyncClient(transport=transport, base_url="http://billing.test")

    return make


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/health", 200),
        ("/api/config", 200),
        ("/api/openapi.json", 200),
        ("/api/nothing", 404),
        ("/api/billing/openapi.json", 200),
        ("/api/billing/accounts", 401),
        ("/api/billing/nothing", 404),
        ("/metrics", 200),
        ("/nothing", 404),
    ],
)
async def test_every_answer_is_strict(client, path, status):
    async with client() as caller:
        answer = await caller.get(path)
        refused = await caller.get("/api/config", headers={"X-Tenant": "nobody"})
    assert (answer.status_code, refused.status_code) == (status, 400)
    for each in (answer, refused):
        assert {name: each.headers.get(name) for name in STRICT} == STRICT
        assert len(each.headers.get_list("x-content-type-options")) == 1
        assert "strict-transport-security" not in each.headers


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/api/docs", "script-src 'self'"), ("/pay/nobody", "style-src 'sha256-")],
)
async def test_pages_keep_their_own_policy(client, path, allowed):
    async with client() as caller:
        answer = await caller.get(path)
    (policy,) = answer.headers.get_list("content-security-policy")
    assert allowed in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("variables", "strict"),
    [
        ({**PRODUCTION, "PUBLIC_URL": "https://billing.example.com"}, True),
        ({**PRODUCTION, "PUBLIC_URL": "http://billing.example.com"}, False),
        ({"PUBLIC_URL": "https://billing.example.com"}, False),
    ],
)
async def test_browsers_come_by_https_where_production_does(client, variables, strict):
    async with client(**variables) as caller:
        answer = await caller.get("/api/health")
    assert answer.headers.get("strict-transport-security") == (
        "max-age=31536000" if strict else None
    )


async def test_so_is_the_answer_to_what_is_too_large(client):
    async with client() as caller:
        answer = await caller.post(
            "/api/billing/accounts", content=b" " * 1_048_577, headers={"Authorization": "Bearer x"}
        )
    assert answer.status_code == 413
    assert {name: answer.headers.get(name) for name in STRICT} == STRICT


async def test_so_is_the_answer_to_a_failure(client, tenant):
    async with tenant.tx() as tx:
        key = await create_api_key(tx, name="Test")
    await tenant.database.close()
    async with client() as caller:
        answer = await caller.get(
            "/api/billing/accounts", headers={"Authorization": f"Bearer {key.text}"}
        )
    assert answer.status_code >= 500
    assert {name: answer.headers.get(name) for name in STRICT} == STRICT


async def test_what_is_asked_thousands_of_times_a_second_has_no_more_than_it_needs(client, tenant):
    async with tenant.tx() as tx:
        key = await create_api_key(tx, name="Test")
    async with client() as caller:
        answer = await caller.post(
            "/api/billing/entitlements/check",
            json={"account_id": "018f0000-0000-7000-8000-000000000000", "feature": "sso"},
            headers={"Authorization": f"Bearer {key.text}"},
        )
    assert answer.headers["x-correlation-id"]
    assert not set(STRICT) & set(answer.headers)


async def test_the_platform_api_is_not_for_web_pages(client):
    asked = {"Origin": "https://any.example", "Access-Control-Request-Method": "GET"}
    async with client(CORS_ORIGIN="https://any.example") as caller:
        answer = await caller.options("/api/billing/accounts", headers=asked)
        read = await caller.get("/api/billing/accounts", headers=asked)
    for each in (answer, read):
        assert not each.is_success
        assert "access-control-allow-origin" not in each.headers
