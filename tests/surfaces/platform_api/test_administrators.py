"""May people who signed in call the platform API?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI

from billwright.features.identity.model import Role, SignInMethod, User
from billwright.features.identity.operations.authenticate_session import authenticate_session
from billwright.features.identity.operations.create_token import create_token
from billwright.features.identity.operations.end_session import end_session
from billwright.features.identity.operations.exchange_token import exchange_token
from billwright.features.identity.operations.issue_session import issue_session
from billwright.features.identity.port import IssuerUnavailable, TokenRefused, Vouched
from tests.conftest import Tenant
from tests.features.identity.signing_in import KEYS, a_session, a_user
from tests.surfaces.platform_api.conftest import client_of, key_of
from tests.surfaces.platform_api.requests import ACCOUNT, created

ACCESS = "/subscriptions/019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41/entitlements"
# One that the framework answers and one that is answered before it, with what says that one got in.
READS = [("/accounts", 200, None), (ACCESS, 404, "subscription_unknown")]


class Issuer:
    """Vouches for whoever the token names."""

    async def verify(self, token: str) -> Vouched:
        if token == "later":
            raise IssuerUnavailable("away")
        if token.count(".") == 2:
            raise TokenRefused("no token of mine")
        return Vouched(
            subject=token,
            email=f"{token}@northlight.example",
            email_verified=True,
            preferred_username=None,
            expires_at=datetime(2027, 1, 1, tzinfo=UTC),
        )


@pytest.fixture
def open_application(application: FastAPI) -> FastAPI:
    """The platform API of an installation with PLATFORM_API_USERS."""
    wiring = application.state.wiring
    application.state.wiring = replace(wiring, platform_users=True, session_keys=KEYS)
    return application


def session_of(user: User, tenant: Tenant) -> str:
    now = tenant.database.clock.now()
    return issue_session(KEYS, user, method=SignInMethod.PASSWORD, now=now)


async def told(client: httpx2.AsyncClient, path: str, **headers: str) -> tuple[int, str | None]:
    answer = await client.get(path, headers=headers)
    return answer.status_code, answer.json().get("code")


@pytest.mark.parametrize(("path", "status", "code"), READS)
async def test_an_administrator_may_everything(
    open_application: FastAPI,
    tenant: Tenant,
    other_tenant: Tenant,
    path: str,
    status: int,
    code: str | None,
):
    user = await a_user(tenant, role=Role.ADMIN)
    async with client_of(open_application, session_of(user, tenant)) as client:
        for headers in ({}, {"X-Tenant": "default"}, {"X-Tenant": str(tenant.id)}):
            assert await told(client, path, **headers) == (status, code)
        nobodys = "019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41"
        for name in ("other", str(other_tenant.id), "nobody", nobodys):
            assert await told(client, path, **{"X-Tenant": name}) == (401, "credential_invalid")


async def test_what_an_administrator_does_is_done_in_their_name(
    open_application: FastAPI, tenant: Tenant
):
    user = await a_user(tenant, role=Role.ADMIN)
    async with client_of(open_application, session_of(user, tenant)) as client:
        account = await created(client, "/accounts", ACCOUNT)
    async with tenant.tx() as tx:
        entry = await tx.fetch_row(
            "select actor_kind, actor_id, actor_name from audit_entry where subject_id = $1",
            UUID(account["id"]),
        )
    assert entry is not None
    assert tuple(entry) == ("user", user.id, user.email)


@pytest.mark.parametrize(("path", "status", "code"), READS)
async def test_nobody_else_who_signed_in_may_anything(
    open_application: FastAPI, tenant: Tenant, path: str, status: int, code: str | None
):
    for name, role in (("ben", Role.USER), ("cy", Role.CONTROLLER)):
        user = await a_user(tenant, f"{name}@northlight.example", role=role)
        async with client_of(open_application, session_of(user, tenant)) as client:
            assert await told(client, path) == (403, "scope_missing")
    admin = await a_user(tenant, role=Role.ADMIN)
    session = await a_session(tenant, admin)
    async with tenant.tx() as tx:
        token = await create_token(
            tx, session, name="All", scopes=["billing_admin:write"], expires_at=None
        )
    exchanged = await exchange_token(tenant.tx, token.text, keys=KEYS)
    async with client_of(open_application, exchanged.access_token) as client:
        assert await told(client, path) == (403, "scope_missing")
    async with client_of(open_application, token.text) as client:
        assert await told(client, path) == (401, "credential_invalid")


@pytest.mark.parametrize(("path", "status", "code"), READS)
async def test_the_end_of_a_session_counts_at_once(
    open_application: FastAPI, tenant: Tenant, path: str, status: int, code: str | None
):
    async def end(text: str) -> None:
        async with tenant.tx() as tx:
            await end_session(tx, await authenticate_session(tx, text, keys=KEYS))

    async def lock(_text: str) -> None:
        async with tenant.tx() as tx:
            await tx.execute("update app_user set locked_at = $1", tx.now)

    user = await a_user(tenant, role=Role.ADMIN)
    steps: list[Callable] = [end, lock]
    for step in steps:
        text = session_of(user, tenant)
        async with client_of(open_application, text) as client:
            assert await told(client, path) == (status, code)
            await step(text)
            assert await told(client, path) == (401, "credential_invalid")
    assert open_application.state.known_callers._known == {}


@pytest.mark.parametrize(("path", "status", "code"), READS)
async def test_only_keys_open_where_people_are_not_allowed(
    application: FastAPI, tenant: Tenant, path: str, status: int, code: str | None
):
    user = await a_user(tenant, role=Role.ADMIN)
    async with client_of(application, session_of(user, tenant)) as client:
        assert await told(client, path) == (401, "credential_invalid")


@pytest.mark.parametrize(("path", "status", "code"), READS)
async def test_keys_open_as_before_where_people_are_allowed(
    open_application: FastAPI, tenant: Tenant, path: str, status: int, code: str | None
):
    async with client_of(open_application, await key_of(tenant)) as client:
        assert await told(client, path) == (status, code)
        assert len(open_application.state.known_callers._known) == 1
    async with client_of(open_application) as client:
        assert await told(client, path) == (401, "credential_missing")
        garbage = {"Authorization": "Bearer nonsense"}
        assert await told(client, path, **garbage) == (401, "credential_invalid")


async def test_who_signs_in_elsewhere_has_to_be_known_here(
    open_application: FastAPI, tenant: Tenant, other_tenant: Tenant
):
    wiring = open_application.state.wiring
    open_application.state.wiring = replace(wiring, token_issuer=Issuer())
    await a_user(tenant, role=Role.ADMIN, has_password=False, oidc_subject="ada")
    async with client_of(open_application, "ada") as client:
        assert await told(client, "/accounts") == (200, None)
        assert await told(client, "/accounts", **{"X-Tenant": "other"}) == (
            401,
            "credential_invalid",
        )
    async with client_of(open_application, "stranger") as client:
        assert await told(client, "/accounts") == (401, "credential_invalid")
    async with client_of(open_application, "later") as client:
        assert await told(client, "/accounts") == (503, "issuer_unavailable")
    async with other_tenant.tx() as tx:
        assert await tx.fetch_value("select count(*) from app_user") == 0
