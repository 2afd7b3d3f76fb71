"""Does the manager API say that it lives, and what a console needs to know?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from openapi_spec_validator import validate
from starlette.testclient import TestClient

from billwright.runtime.settings import load_settings
from billwright.surfaces.manager_api.app import create_manager_api

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def client(tmp_path: Path, **variables: str) -> TestClient:
    app = create_manager_api()
    app.state.settings = load_settings({"BILLWRIGHT_HOME": str(tmp_path), **variables})
    return TestClient(app)


def test_the_document_is_valid_without_settings_and_wiring():
    document = create_manager_api().openapi()
    validate(document)
    assert document["paths"]["/health"]["get"]["operationId"] == "getHealth"


def test_health_is_the_time_in_milliseconds(tmp_path):
    before = datetime.now(UTC)
    body = client(tmp_path).get("/health").json()
    assert body.keys() == {"status", "timestamp"}
    assert body["status"] == "ok"
    assert isinstance(body["timestamp"], int)
    assert -1 <= body["timestamp"] - before.timestamp() * 1000 < 10_000


def test_the_configuration_is_that_of_the_settings_and_the_tenant(tmp_path):
    caller = client(tmp_path, PUBLIC_URL="https://billing.example.com/", TENANTS="north")
    answer = caller.get("/config", headers={"X-Tenant": "north"})
    assert answer.json() == {
        "billing": {
            "restApiUrl": "https://billing.example.com/api",
            "frontendUrl": "https://billing.example.com",
            "websocketUrl": "https://billing.example.com/billing",
            "projectsWebsocketUrl": "https://billing.example.com/projects",
            "tenantId": "north",
        },
        "authentication": {"type": "api-key"},
        "productName": "Billwright",
    }


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
def test_the_configuration_may_be_kept_for_a_while_in_production(tmp_path, variables, cached):
    answer = client(tmp_path, **variables).get("/config")
    assert answer.headers["cache-control"] == cached
    assert answer.headers["vary"] == "X-Tenant"
