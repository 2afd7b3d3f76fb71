"""Who may call which operation? Every operation, asked by everybody who may and may not.

The operations and what they ask for are read from the routes, so that a new one is held to it from its
first day. Nobody is served here: the request stops where it has got in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request

from billwright.features.identity.model import Role, SignInMethod, User
from billwright.features.identity.operations.create_token import create_token
from billwright.features.identity.operations.exchange_token import exchange_token
from billwright.features.identity.operations.issue_session import issue_session
from billwright.features.identity.rules.token_scopes import TOKEN_SCOPES, grantable_by
from billwright.providers.document.typst.renderer import TypstInvoiceRenderer
from billwright.providers.payment import discover
from billwright.runtime.db.database import Database
from billwright.runtime.settings import load_settings
from billwright.runtime.settings_sign_in import AuthenticationMethod
from billwright.runtime.telemetry.metrics import Metrics
from billwright.surfaces.manager_api.app import create_manager_api
from billwright.surfaces.manager_api.caller import Access, ManagerCaller, OnlyIn, visiting
from billwright.surfaces.web.wiring import Wiring
from tests.conftest import BOX, Tenant
from tests.features.identity.signing_in import KEYS, a_session, a_user

NOBODY = "5b0a4f7e-5f6b-4a51-9c07-2f4f0f0e7d11"
KEY = "a-static-key-of-more-than-32-characters"
MODES: tuple[AuthenticationMethod, ...] = get_args(AuthenticationMethod)

PUBLIC = {
    "GET /health": "it says that the process lives, and asks nothing",
    "GET /config": "a console reads it before anybody has signed in",
    "POST /webhooks/payments/stripe": "the provider signs what it sends",
}
"""What asks neither who calls nor for which tenant, and why."""

GOT_IN = 418
"""The status of who got in."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A route, and what it asks of its callers; without `access` it is public."""

    method: str
    path: str
    access: Access | None
    visits: bool
    modes: frozenset[AuthenticationMethod]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    async def ask(self, client: httpx2.AsyncClient, token: str | None = None) -> httpx2.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        path = re.sub(r"{\w+}", NOBODY, self.path)
        body: dict[str, Any] | None = None if self.method == "GET" else {}
        return await client.request(self.method, path, json=body, headers=headers)


def operations_of(app: FastAPI) -> Iterator[Operation]:
    for context in iter_route_contexts(app.routes):
        if not isinstance(context.original_route, APIRoute):
            continue
        calls = list(_calls_of(context.dependant))
        modes = [call.methods for call in calls if isinstance(call, OnlyIn)]
        accesses = [call for call in calls if isinstance(call, Access)]
        assert len(accesses) <= 1, f"{context.path} asks twice who is calling"
        for method in context.methods or ():
            yield Operation(
                method=method,
                path=context.path or "",
                access=accesses[0] if accesses else None,
                visits=visiting in calls,
                modes=frozenset(MODES).intersection(*modes),
            )


def _calls_of(dependant: Dependant) -> Iterator[Any]:
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from _calls_of(dependency)


OPERATIONS = {operation.name: operation for operation in operations_of(create_manager_api())}
GUARDED = [one for one in OPERATIONS.values() if one.access is not None]


def console(
    database: Database,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: AuthenticationMethod = "users",
) -> httpx2.AsyncClient:
    """A client of an installation where a request ends as soon as its caller got in."""
    admit = Access.__call__

    async def get_in(self: Access, request: Request) -> ManagerCaller:
        await admit(self, request)
        raise HTTPException(GOT_IN)

    monkeypatch.setattr(Access, "__call__", get_in)
    app = create_manager_api()
    app.state.settings = load_settings(
        {
            "BILLWRIGHT_HOME": str(home),
            "TENANTS": "other",
            "AUTHENTICATION_METHOD": method,
            "STATIC_API_KEY": KEY,
            "OIDC_ISSUER": "https://login.northlight.example",
            "KEYCLOAK_CLIENT_ID": "console",
        }
    )
    app.state.wiring = Wiring(
        database=database,
        metrics=Metrics(),
        invoice_renderer=TypstInvoiceRenderer(),
        payment_providers=discover(),
        secret_box=BOX,
        session_keys=KEYS,
    )
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://test")


def session_of(user: User, tenant: Tenant) -> str:
    now = tenant.database.clock.now()
    return issue_session(KEYS, user, method=SignInMethod.PASSWORD, now=now)


async def token_session(tenant: Tenant, user: User, scope: str) -> str:
    session = await a_session(tenant, user)
    async with tenant.tx() as tx:
        created = await create_token(tx, session, name=scope, scopes=[scope], expires_at=None)
    return (await exchange_token(tenant.tx, created.text, keys=KEYS)).access_token


async def differing(
    client: httpx2.AsyncClient, token: str | None, expected: dict[str, int]
) -> list[str]:
    """The operations that answer otherwise."""
    wrong = []
    for name, status in expected.items():
        answer = await OPERATIONS[name].ask(client, token)
        if answer.status_code != status:
            wrong.append(f"{name}: {answer.status_code} instead of {status}: {answer.text[:200]}")
    return wrong


def test_every_operation_says_who_may_call_it():
    silent = {name for name, one in OPERATIONS.items() if one.access is None and not one.visits}
    assert silent == PUBLIC.keys()


def test_every_scope_that_is_asked_for_is_one():
    asked_for = {one.access.scope for one in GUARDED if one.access} - {None}
    assert asked_for <= set(TOKEN_SCOPES)


def test_what_is_for_administrators_asks_for_no_scope_that_everybody_gives():
    for one in GUARDED:
        assert one.access is not None
        if one.access.role is Role.ADMIN and one.access.scope is not None:
            assert one.access.scope not in grantable_by(Role.USER), one.name


def test_the_document_says_what_is_public():
    paths = create_manager_api().openapi()["paths"]
    for one in OPERATIONS.values():
        needs_credential = paths[one.path][one.method.lower()].get("security") != []
        assert needs_credential is (one.access is not None), one.name


@pytest.mark.parametrize("role", list(Role))
async def test_a_person_may_what_their_role_may(tenant, other_tenant, tmp_path, monkeypatch, role):
    user = await a_user(tenant, role=role)
    token = session_of(user, tenant)
    expected = {
        one.name: GOT_IN if one.access.role is Role.USER or role is Role.ADMIN else 403
        for one in GUARDED
        if one.access and "users" in one.modes
    }
    async with console(tenant.database, tmp_path, monkeypatch) as client:
        assert await differing(client, token, expected) == []
        assert await differing(client, None, dict.fromkeys(expected, 401)) == []
        client.headers["X-Tenant"] = "other"
        assert await differing(client, token, dict.fromkeys(expected, 401)) == []


@pytest.mark.parametrize("role", list(Role))
async def test_a_token_may_what_its_scope_and_its_users_role_may(
    tenant, tmp_path, monkeypatch, role
):
    user = await a_user(tenant, role=role)
    async with console(tenant.database, tmp_path, monkeypatch) as client:
        for scope in grantable_by(role):
            token = await token_session(tenant, user, scope)
            expected = {
                one.name: GOT_IN
                if one.access.scope == scope
                and not one.access.interactive
                and (one.access.role is Role.USER or role is Role.ADMIN)
                else 403
                for one in GUARDED
                if one.access and "users" in one.modes
            }
            assert await differing(client, token, expected) == [], scope


async def test_the_static_key_opens_all_that_is_nobodys_own(tenant, tmp_path, monkeypatch):
    expected = {
        one.name: 404
        if "api-key" not in one.modes
        else 400
        if one.access and one.access.user_required
        else GOT_IN
        for one in GUARDED
    }
    async with console(tenant.database, tmp_path, monkeypatch, "api-key") as client:
        assert await differing(client, KEY, expected) == []
        wrong = {name: 401 for name, status in expected.items() if status != 404}
        assert await differing(client, f"{KEY}x", wrong) == []


@pytest.mark.parametrize("method", MODES)
async def test_an_operation_of_another_mode_is_not_there(tenant, tmp_path, monkeypatch, method):
    absent = [one for one in OPERATIONS.values() if method not in one.modes]
    async with console(tenant.database, tmp_path, monkeypatch, method) as client:
        for one in absent:
            answer = await one.ask(client)
            path = re.sub(r"{\w+}", NOBODY, one.path)
            assert answer.status_code == 404, one.name
            assert answer.json()["message"] == f"Cannot {one.method} {path}"
