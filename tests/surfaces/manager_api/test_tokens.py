"""Does a token open what it is for, as long as it may, and nothing else?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from billwright.kernel.ids import new_id
from tests.surfaces.manager_api.people import (
    ADA,
    BEN,
    OTHER_PASSWORD,
    OTHER_TENANT,
    PASSWORD,
    SESSION_OVER,
    STATIC_KEY,
    a_user,
    an_admin,
    an_installation,
    bearing,
    calling,
    register,
    told,
)

NOON = "2026-01-15T12:00:00.000Z"
INVALID = (401, "Invalid token")
WANTED: dict[str, Any] = {"name": "Reporting", "scopes": ["users:admin", "invoices:read"]}
FIELDS = {
    "id",
    "name",
    "tokenPrefix",
    "scopes",
    "expiresAt",
    "revokedAt",
    "lastUsedAt",
    "createdAt",
}


@pytest_asyncio.fixture
async def api(tmp_path, database, tenant) -> AsyncIterator[httpx2.AsyncClient]:
    async with calling(an_installation(tmp_path, database)) as client:
        yield client


async def created(
    api: httpx2.AsyncClient, session: dict[str, str], **wanted: object
) -> dict[str, Any]:
    answer = await api.post("/auth/tokens", json=WANTED | wanted, headers=session)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    return body


async def exchange(api: httpx2.AsyncClient, text: str) -> httpx2.Response:
    return await api.post("/auth/token", json={"token": text})


async def test_a_token_is_shown_once_and_known_by_its_beginning(api):
    admin = await an_admin(api)
    token = await created(api, admin, expiresAt="2026-02-01")
    text = token.pop("token")
    assert text.startswith("fp_pat_")
    assert len(text) == 50
    assert token == {
        **WANTED,
        "id": token["id"],
        "tokenPrefix": text[:15],
        "expiresAt": "2026-02-01T00:00:00.000Z",
        "revokedAt": None,
        "lastUsedAt": None,
        "createdAt": NOON,
    }
    later = await created(api, admin, name="Later")
    listed = await api.get("/auth/tokens", headers=admin)
    assert [one["id"] for one in listed.json()] == [later["id"], token["id"]]
    assert listed.json()[1] == token
    assert text not in listed.text


async def test_a_token_is_exchanged_used_narrowed_and_revoked(api):
    admin = await an_admin(api)
    token = await created(api, admin)
    answer = await exchange(api, token["token"])
    program = bearing(answer)
    assert answer.json().keys() == {"access_token", "user", "scopes"}
    assert answer.json()["user"].keys() == {"id", "email", "role"}
    assert set(answer.json()["scopes"]) == set(WANTED["scopes"])
    assert (await api.get("/users", headers=program)).status_code == 200
    (listed,) = (await api.get("/auth/tokens", headers=admin)).json()
    assert listed["lastUsedAt"] == NOON

    path = f"/auth/tokens/{token['id']}"
    narrowed = {"name": "Invoices", "scopes": ["invoices:read"]}
    answer = await api.patch(path, json=narrowed, headers=admin)
    assert (answer.status_code, answer.json()) == (200, listed | narrowed)
    assert told(await api.get("/users", headers=program)) == SESSION_OVER
    program = bearing(await exchange(api, token["token"]))
    refused = await api.get("/users", headers=program)
    assert refused.status_code == 403
    assert "users:admin" in refused.json()["message"]

    for _ in range(2):
        answer = await api.delete(path, headers=admin)
        assert (answer.status_code, answer.content) == (204, b"")
    assert told(await api.get("/users", headers=program)) == SESSION_OVER
    assert told(await exchange(api, token["token"])) == INVALID
    assert (await api.get("/auth/tokens", headers=admin)).json() == []
    assert (await api.patch(path, json=narrowed, headers=admin)).status_code == 404


async def test_a_token_is_no_person(api):
    program = bearing(await exchange(api, (await created(api, await an_admin(api)))["token"]))
    somebody = new_id()
    change = {
        "currentPassword": PASSWORD,
        "newPassword": OTHER_PASSWORD,
        "newPasswordConfirmation": OTHER_PASSWORD,
    }
    for method, path, body in [
        ("GET", "/auth/token-scopes", None),
        ("GET", "/auth/tokens", None),
        ("POST", "/auth/tokens", WANTED),
        ("PATCH", f"/auth/tokens/{somebody}", WANTED),
        ("DELETE", f"/auth/tokens/{somebody}", None),
        ("GET", f"/users/{somebody}/tokens", None),
        ("DELETE", f"/users/{somebody}/tokens/{somebody}", None),
        ("POST", "/auth/change-password", change),
        ("POST", "/auth/logout", None),
    ]:
        answer = await api.request(method, path, json=body, headers=program)
        assert answer.status_code == 403, path


async def test_nobody_gives_a_scope_that_they_do_not_have(api, tenant):
    admin, ben = await an_admin(api), await a_user(api, tenant)

    async def grantable(session: dict[str, str]) -> list[str]:
        answer = await api.get("/auth/token-scopes", headers=session)
        assert all(entry.keys() == {"scope"} for entry in answer.json())
        return [entry["scope"] for entry in answer.json()]

    everything, own = await grantable(admin), await grantable(ben)
    assert (len(everything), len(own)) == (24, 13)
    assert "users:admin" in set(everything) - set(own)
    assert (await api.post("/auth/tokens", json=WANTED, headers=ben)).status_code == 403
    await created(api, ben, scopes=own)
    await created(api, admin, scopes=everything)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 256},
        {"scopes": []},
        {"scopes": ["invoices:read", "invoices:read"]},
        {"scopes": ["everything"]},
        {"scopes": "invoices:read"},
        {"expiresAt": "2026-01-15T11:59:59Z"},
        {"expiresAt": "tomorrow"},
        {"token": "fp_pat_of_my_own"},
    ],
)
async def test_a_token_that_cannot_be_is_refused(api, wrong):
    answer = await api.post("/auth/tokens", json=WANTED | wrong, headers=await an_admin(api))
    assert (answer.status_code, answer.json()["error"]) == (400, "Bad Request")


async def test_whatever_is_wrong_with_a_token_the_answer_is_the_same(api, tenant, clock):
    admin, ben = await an_admin(api), await a_user(api, tenant)
    expiring = await created(api, ben, scopes=["invoices:read"], expiresAt="2026-01-16T00:00:00Z")
    locked = await created(api, ben, scopes=["invoices:read"])
    ben_id = (await api.get("/users", headers=admin)).json()[0]["id"]
    await api.post(f"/users/{ben_id}/lock", headers=admin)
    clock.move_to(clock.now() + timedelta(days=1))
    for text in (expiring["token"], locked["token"], "fp_pat_unknown", "", PASSWORD):
        assert told(await exchange(api, text)) == INVALID


async def test_a_token_signs_nobody_in_by_itself(api):
    token = await created(api, await an_admin(api))
    answer = await api.post("/auth/login", json={"email": ADA, "password": token["token"]})
    assert told(answer) == (401, "Invalid email or password")
    bearer = {"Authorization": f"Bearer {token['token']}"}
    assert told(await api.get("/users", headers=bearer)) == (401, "Invalid or expired token")


async def test_a_creation_that_is_repeated_makes_one_token(api, tenant):
    admin, ben = await an_admin(api), await a_user(api, tenant)
    wanted = {"name": "Reporting", "scopes": ["invoices:read"]}
    key = {"Idempotency-Key": "reporting"}
    first, again, of_ben = [
        await api.post("/auth/tokens", json=wanted, headers=session | key)
        for session in (admin, admin, ben)
    ]
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["cache-control"] == "no-store"
    assert "idempotent-replayed" not in of_ben.headers
    assert of_ben.json()["token"] != first.json()["token"]
    async with tenant.tx() as tx:
        bodies = await tx.fetch(
            "select response_body from idempotency_key where tenant_id = $1", tenant.id
        )
    assert len(bodies) == 2
    assert not any(first.json()["token"].encode() in row["response_body"] for row in bodies)


async def test_an_administrator_sees_and_revokes_the_tokens_of_others(api, tenant):
    admin, ben = await an_admin(api), await a_user(api, tenant)
    scopes = ["invoices:read"]
    gone, kept = await created(api, ben, scopes=scopes), await created(api, ben, scopes=scopes)
    await api.delete(f"/auth/tokens/{gone['id']}", headers=ben)
    ben_id, ada_id = [user["id"] for user in (await api.get("/users", headers=admin)).json()]

    listed = (await api.get(f"/users/{ben_id}/tokens", headers=admin)).json()
    assert [one.keys() == FIELDS for one in listed] == [True, True]
    assert [(one["id"], one["revokedAt"]) for one in listed] == [
        (kept["id"], None),
        (gone["id"], NOON),
    ]
    wrong_owner = await api.delete(f"/users/{ada_id}/tokens/{kept['id']}", headers=admin)
    assert wrong_owner.status_code == 404
    answer = await api.delete(f"/users/{ben_id}/tokens/{kept['id']}", headers=admin)
    assert answer.status_code == 204
    assert told(await exchange(api, kept["token"])) == INVALID


async def test_tokens_of_others_are_nobodys(api, tenant, other_tenant):
    admin, ben = await an_admin(api), await a_user(api, tenant)
    token = await created(api, admin)
    path = f"/auth/tokens/{token['id']}"
    narrowed = {"name": "Mine", "scopes": ["invoices:read"]}
    assert (await api.patch(path, json=narrowed, headers=ben)).status_code == 404
    assert (await api.delete(path, headers=ben)).status_code == 404

    await register(api, BEN, **OTHER_TENANT)
    there = OTHER_TENANT | bearing(
        await api.post(
            "/auth/login", json={"email": BEN, "password": PASSWORD}, headers=OTHER_TENANT
        )
    )
    assert (await api.patch(path, json=narrowed, headers=there)).status_code == 404
    assert (await api.delete(path, headers=there)).status_code == 404
    exchanged = await api.post("/auth/token", json={"token": token["token"]}, headers=OTHER_TENANT)
    assert told(exchanged) == INVALID
    program = bearing(await exchange(api, token["token"]))
    assert told(await api.get("/users", headers=program | OTHER_TENANT)) == SESSION_OVER


async def test_there_are_no_tokens_where_nobody_signs_in(tmp_path, database, tenant):
    variables = {"AUTHENTICATION_METHOD": "api-key", "STATIC_API_KEY": STATIC_KEY}
    async with calling(an_installation(tmp_path, database, **variables)) as api:
        for method, path in [
            ("POST", "/auth/token"),
            ("GET", "/auth/tokens"),
            ("GET", "/auth/token-scopes"),
        ]:
            answer = await api.request(method, path)
            assert told(answer) == (404, f"Cannot {method} /api{path}")
