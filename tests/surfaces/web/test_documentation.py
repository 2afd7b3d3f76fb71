"""Does the documentation work without the network?"""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from billwright.surfaces.web.documentation import documentation_routes

DOCUMENTS = {"Platform": "/api/billing/openapi.json", "Manager <1>": "/api/openapi.json"}


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None)
    app.router.routes.extend(documentation_routes("/api/docs", DOCUMENTS))
    return TestClient(app)


def test_the_page_loads_only_from_this_server(client):
    page = client.get("/api/docs")
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)

    assert page.headers["content-type"].startswith("text/html")
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert len(addresses) == 6
    for address in addresses:
        assert address.startswith("/api/docs")
        assert client.get(address).status_code == 200
    assert re.findall(r"<script(?![^>]*src=)", page.text) == []


def test_every_document_is_offered_and_titles_are_escaped(client):
    page = client.get("/api/docs").text

    assert "Manager &lt;1&gt;" in page
    assert "document=Manager+%3C1%3E" in page
    assert '"Platform":"/api/billing/openapi.json"' in client.get("/api/docs/start.js").text


def test_the_packaged_interface_understands_openapi_3_1(client):
    script = client.get("/api/docs/swagger-ui-bundle.js")

    assert script.headers["content-type"].startswith("text/javascript")
    version = re.search(r'PACKAGE_VERSION:"(\d+)\.', script.text)
    assert version is not None
    assert int(version[1]) >= 5
