"""Which requests have a tenant, and which are refused for want of one?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from billwright.runtime.settings import load_settings
from billwright.surfaces.manager_api.app import create_manager_api
from billwright.surfaces.manager_api.tenant import tenant_of

REFUSED = {"message": "Invalid or unknown tenant"}


@contextmanager
def client(tmp_path: Path, **variables: str) -> Iterator[TestClient]:
    app = create_manager_api()
    app.state.settings = load_settings({"BILLWRIGHT_HOME": str(tmp_path), **variables})

    @app.get("/tenant")
    def tenant(request: Request) -> str:
        return tenant_of(request)

    with TestClient(app) as caller:
        yield caller


@pytest.mark.parametrize(
    ("header", "tenant"),
    [
        (None, "default"),
        ("", "default"),
        ("  ", "default"),
        ("default", "default"),
        ("north", "north"),
        ("  north ", "north"),
        ("South_2", "South_2"),
    ],
)
def test_a_known_tenant_is_taken(tmp_path, header, tenant):
    with client(tmp_path, TENANTS="north,South_2") as caller:
        answer = caller.get("/tenant", headers={} if header is None else {"X-Tenant": header})
    assert (answer.status_code, answer.json()) == (200, tenant)


@pytest.mark.parametrize("header", ["North", "south_2", "east", "north,north", "../x", "x" * 65])
@pytest.mark.parametrize("path", ["/tenant", "/config", "/nothing"])
def test_anything_else_is_refused_whatever_is_asked(tmp_path, header, path):
    with client(tmp_path, TENANTS="north,South_2") as caller:
        answer = caller.get(path, headers={"X-Tenant": header})
    assert (answer.status_code, answer.json()) == (400, REFUSED)


def test_a_header_that_comes_twice_names_nobody(tmp_path):
    with client(tmp_path, TENANTS="north,south") as caller:
        answer = caller.get("/tenant", headers=[("X-Tenant", "north"), ("X-Tenant", "south")])
    assert answer.json() == REFUSED


def test_without_the_default_tenant_one_must_be_named(tmp_path):
    with client(tmp_path, TENANTS="north", TENANTS_ALLOW_DEFAULT="false") as caller:
        assert caller.get("/tenant").json() == REFUSED
        assert caller.get("/tenant", headers={"X-Tenant": "default"}).json() == REFUSED
        assert caller.get("/tenant", headers={"X-Tenant": "north"}).json() == "north"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("GET", "/openapi.json", 200),
        ("POST", "/webhooks/payments/nobody", 404),
        ("OPTIONS", "/config", 404),
    ],
)
def test_some_addresses_need_no_tenant(tmp_path, method, path, status):
    with client(tmp_path) as caller:
        answer = caller.request(method, path, headers={"X-Tenant": "nobody"})
    assert answer.status_code == status
