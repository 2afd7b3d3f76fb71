"""Who gets in, to what, and for how long?"""

from __future__ import annotations

import asyncio
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI

from billwright.features.identity.model import READ_ACCESS
from billwright.features.identity.operations.revoke_api_key import revoke_api_key
from billwright.surfaces.platform_api import caller
from tests.conftest import Tenant
from tests.surfaces.platform_api.conftest import client_of, key_of
from tests.surfaces.platform_api.requests import ACCOUNT, created, rows_of

ACCESS = "/subscriptions/019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41/entitlements"
READS = ["/accounts", ACCESS]


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "credential_missing"),
        ("", "credential_missing"),
        ("Basic YTpi", "credential_missing"),
        ("Bearer", "credential_invalid"),
        ("Bearer bw_nonsense", "credential_invalid"),
        (f"Bearer bw_{'A' * 22}_{'x' * 43}", "credential_invalid"),
        (f"Bearer bw_{'é' * 22}_{'x' * 43}", "credential_invalid"),
    ],
)
async def test_without_a_key_nothing_is_answered(
    application: FastAPI, path: str, authorization: str | None, code: str
):
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
    async with client_of(application) as client:
        response = await client.get(path, headers=headers)
    assert response.status_code == 401
    assert response.json()["code"] == code
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_a_caller_is_asked_who_it_is_before_what_it_wants(application: FastAPI):
    async with client_of(application) as client:
        response = await client.post("/accounts", json={"nonsense": 1})
    assert response.status_code == 401


async def test_the_scheme_may_be_written_in_any_case(application: FastAPI, tenant: Tenant):
    key = await key_of(tenant)
    async with client_of(application) as client:
        response = await client.get("/accounts", headers={"Authorization": f"BEARER  {key}"})
    assert response.status_code == 200


async def test_a_key_that_may_read_may_not_write(application: FastAPI, tenant: Tenant):
    async with client_of(application, await key_of(tenant, [READ_ACCESS])) as client:
        before = await rows_of(tenant)
        assert (await client.get("/accounts")).status_code == 200
        response = await client.post("/accounts", json=ACCOUNT)
    assert response.status_code == 403
    assert response.json()["code"] == "scope_missing"
    assert response.json()["facts"] == {"scope": "accounts:write"}
    assert await rows_of(tenant) == before


@pytest.mark.parametrize("path", READS)
async def test_a_key_without_any_scope_may_not_read(
    application: FastAPI, tenant: Tenant, path: str
):
    async with client_of(application, await key_of(tenant, [])) as client:
        response = await client.get(path)
    assert (response.status_code, response.json()["code"]) == (403, "scope_missing")


@pytest.mark.parametrize("path", READS)
async def test_the_tenant_may_be_named_and_must_be_the_own(
    client: httpx2.AsyncClient, tenant: Tenant, other_tenant: Tenant, path: str
):
    own, wrong = (
        ["default", str(tenant.id), str(tenant.id).upper()],
        ["other", str(other_tenant.id)],
    )
    nobodys = ["nobody", "", "019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41", "a\x00b"]
    codes = {
        name: (await client.get(path, headers={"X-Tenant": name})).json().get("code")
        for name in [*own, *wrong, *nobodys]
    }
    assert {codes[name] for name in own} == {
        None if path == "/accounts" else "subscription_unknown"
    }
    assert {codes[name] for name in [*wrong, *nobodys]} == {"tenant_mismatch"}


@pytest.mark.parametrize("path", READS)
async def test_a_revoked_key_is_worthless_after_a_second(
    client: httpx2.AsyncClient, tenant: Tenant, path: str, monkeypatch: pytest.MonkeyPatch
):
    now = 100.0
    monkeypatch.setattr(caller, "monotonic", lambda: now)
    assert (await client.get(path)).status_code in {200, 404}
    async with tenant.tx() as tx:
        key_id: UUID = await tx.fetch_value("select id from api_key")
        await revoke_api_key(tx, key_id)
    now = 100.999
    assert (await client.get(path)).status_code in {200, 404}
    now = 101.0
    assert (await client.get(path)).status_code == 401


async def test_a_burst_of_requests_asks_the_database_once(
    client: httpx2.AsyncClient, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []
    authenticate = caller.authenticate

    async def counted(database, text):
        asked.append(text)
        return await authenticate(database, text)

    monkeypatch.setattr(caller, "authenticate", counted)
    for _ in range(2):
        answers = await asyncio.gather(*(client.get("/accounts") for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}
    assert len(asked) == 1


async def test_a_burst_with_a_wrong_key_is_refused_as_a_whole(application: FastAPI):
    async with client_of(application, f"bw_{'A' * 22}_{'x' * 43}") as client:
        answers = await asyncio.gather(*(client.get("/accounts") for _ in range(5)))
        again = await client.get("/accounts")
    assert {answer.status_code for answer in [*answers, again]} == {401}
    assert application.state.known_callers._asking == {}


async def test_what_is_remembered_is_bounded(
    application: FastAPI, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(caller, "_MOST_REMEMBERED", 2)
    for _ in range(5):
        async with client_of(application, await key_of(tenant)) as client:
            assert (await client.get("/accounts")).status_code == 200
    assert len(application.state.known_callers._known) <= 2


async def test_the_audit_log_names_the_key(client: httpx2.AsyncClient, tenant: Tenant):
    account = await created(client, "/accounts", ACCOUNT)
    async with tenant.tx() as tx:
        entry = await tx.fetch_row(
            "select actor_kind, actor_name, cause from audit_entry where subject_id = $1",
            UUID(account["id"]),
        )
    assert entry is not None
    assert tuple(entry) == ("api_key", "platform", "create_account")
