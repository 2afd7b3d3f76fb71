"""Does the manager API say that it lives, and what a console needs to know?"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from openapi_spec_validator import validate

from billwright import __version__
from billwright.providers.document.typst.renderer import TypstInvoiceRenderer
from billwright.providers.payment import discover
from billwright.runtime.db.database import Database
from billwright.runtime.settings import load_settings
from billwright.runtime.settings_table import settings_table
from billwright.runtime.telemetry.metrics import Metrics
from billwright.surfaces.manager_api.app import create_manager_api
from billwright.surfaces.web.dependencies import Dependencies
from billwright.surfaces.web.wiring import Wiring
from tests.conftest import BOX

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
SECRET = "hidden-hidden-hidden-hidden-hidden"
SECRETS = {
    "DATABASE_URL": f"postgresql://u:{SECRET}@127.0.0.1/d",
    "DATABASE_APPLICATION_URL": f"postgresql://v:{SECRET}@127.0.0.1/d",
    "DB_PASSWORD": SECRET,
    "ENCRYPTION_KEY": KEY,
    "ENCRYPTION_KEYS_RETIRED": KEY,
    "JWT_SECRET": SECRET,
    "KEYCLOAK_CLIENT_SECRET": SECRET,
    "METRICS_TOKEN": SECRET,
    "NOTIFICATION_SECRET": f"whsec_{base64.b64encode(SECRET.encode()).decode()}",
    "OTEL_EXPORTER_OTLP_HEADERS": f"api-key={SECRET}",
    "OTEL_PASSWORD": SECRET,
    "SMTP_PASSWORD": SECRET,
    "STATIC_API_KEY": SECRET,
    "STRIPE_SECRET_KEY": f"sk_test_{SECRET}",
    "STRIPE_WEBHOOK_SECRET": f"whsec_{SECRET}",
}
WITH_SECRETS = {
    "NOTIFICATION_URL": "https://notifications.example.com",
    "OTEL_USERNAME": "metrics",
    "SMTP_USER": "billing",
}


@pytest.fixture
def client(tmp_path: Path, database: Database) -> Callable[..., httpx2.AsyncClient]:
    """Makes a caller of the manager API with the given settings."""

    def make(**variables: str) -> httpx2.AsyncClient:
        app = create_manager_api()
        app.state.settings = load_settings({"BILLWRIGHT_HOME": str(tmp_path), **variables})
        app.state.dependencies = Dependencies(database)
        app.state.wiring = Wiring(
            database=database,
            metrics=Metrics(),
            invoice_renderer=TypstInvoiceRenderer(),
            payment_providers=discover(app.state.settings),
            secret_box=BOX,
        )
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url="http://billing.test"
        )

    return make


def test_the_document_is_valid_without_settings_and_wiring():
    document = create_manager_api().openapi()
    validate(document)
    assert document["paths"]["/health"]["get"]["operationId"] == "getHealth"


async def test_health_is_the_time_in_milliseconds_and_what_is_there(client):
    before = datetime.now(UTC)
    async with client() as caller:
        body = (await caller.get("/health")).json()
    assert body["status"] == "ok"
    assert isinstance(body["timestamp"], int)
    assert -1 <= body["timestamp"] - before.timestamp() * 1000 < 10_000
    assert body["dependencies"] == {"database": "healthy", "queue": "healthy", "worker": "unknown"}


async def test_health_is_answered_when_the_database_is_away(client, database):
    await database.close()
    async with client() as caller:
        answer = await caller.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["dependencies"]["database"] == "degraded"


async def test_the_configuration_is_that_of_the_settings_and_the_tenant(client, tenant):
    variables = {
        "PUBLIC_URL": "https://billing.example.com/",
        "BILLING_FRONTEND_URL": "https://console.example.com",
        "TENANT_FRONTEND_URLS": "north=https://north.example.com",
        "BILLING_DEFAULT_CURRENCY": "CHF",
        "TENANTS": "north",
    }
    async with client(**variables) as caller:
        own = (await caller.get("/config")).json()
        north = (await caller.get("/config", headers={"X-Tenant": "north"})).json()
    assert own == {
        "productName": "Billwright",
        "version": __version__,
        "billing": {
            "restApiUrl": "https://billing.example.com/api",
            "frontendUrl": "https://console.example.com",
            "websocketUrl": "https://billing.example.com:8082/billing",
            "projectsWebsocketUrl": "https://billing.example.com:8082/projects",
            "tenantId": "default",
            "currency": "EUR",
            "paymentsEnabled": True,
        },
        "authentication": {"type": "users", "disableSignup": False},
        "features": {"registration": True, "paymentSandbox": True, "platformApiUsers": False},
    }
    # Nobody has created that one yet.
    assert north["billing"]["tenantId"] == "north"
    assert north["billing"]["frontendUrl"] == "https://north.example.com"
    assert north["billing"]["currency"] == "CHF"


async def test_payments_are_told_to_be_off_where_nobody_collects_them(client, tenant):
    async with client(PAYMENT_SANDBOX="false", DISABLE_SIGNUP="true") as caller:
        body = (await caller.get("/config")).json()
    assert body["billing"]["paymentsEnabled"] is False
    assert body["features"]["registration"] is False
    assert body["authentication"] == {"type": "users", "disableSignup": True}


async def test_the_configuration_says_where_people_sign_in(client, tenant):
    keycloak = {
        "KEYCLOAK_SERVER_URL": "https://login.example.com",
        "KEYCLOAK_REALM": "billing",
        "KEYCLOAK_CLIENT_ID": "console",
    }
    async with client(**keycloak) as caller:
        body = (await caller.get("/config")).json()
    assert body["authentication"] == {
        "type": "keycloak",
        "authServerUrl": "https://login.example.com",
        "realm": "billing",
        "clientId": "console",
    }
    assert body["features"]["registration"] is False


@pytest.mark.parametrize("method", ["api-key", "users", "keycloak"])
async def test_no_secret_of_any_setting_is_told(client, tenant, method: str):
    assert SECRETS.keys() == {row.name for row in settings_table() if row.is_secret}
    variables = {
        **SECRETS,
        **WITH_SECRETS,
        "AUTHENTICATION_METHOD": method,
        "KEYCLOAK_CLIENT_ID": "console",
        "OIDC_ISSUER": "https://login.example.com",
    }
    async with client(**variables) as caller:
        answer = await caller.get("/config")
    assert answer.status_code == 200
    assert answer.json()["authentication"]["type"] == method
    for secret in ("hidden", *SECRETS.values()):
        assert secret not in answer.text


@pytest.mark.parametrize(
    ("variables", "cached"),
    [
        ({}, "private, no-cache"),
        (
            {"BILLWRIGHT_ENVIRONMENT": "production", "ENCRYPTION_KEY": KEY},
            "private, max-age=60, stale-while-revalidate=300",
        ),
    ],
)
async def test_the_configuration_may_be_kept_for_a_while_in_production(client, variables, cached):
    async with client(**variables) as caller:
        answer = await caller.get("/config")
    assert answer.headers["cache-control"] == cached
    assert "X-Tenant" in answer.headers["vary"].split(", ")
