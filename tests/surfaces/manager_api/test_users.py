"""Can an administrator keep the users of the tenant, and nobody else's?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx2
import pytest
import pytest_asyncio

from billwright.features.identity.model import CodePurpose, Role
from billwright.features.identity.operations.add_user import add_user
from billwright.features.identity.rules.new_user import new_user
from billwright.kernel.ids import new_id
from tests.conftest import Tenant
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
    code_for,
    confirm,
    log_in,
    register,
    status_for,
    told,
)

CARA = "cara@northlight.example"
NOON = "2026-01-15T12:00:00.000Z"


@pytest_asyncio.fixture
async def api(tmp_path, database, tenant) -> AsyncIterator[httpx2.AsyncClient]:
    async with calling(an_installation(tmp_path, database)) as client:
        yield client


async def id_of(api: httpx2.AsyncClient, email: str, admin: dict[str, str]) -> str:
    users = (await api.get("/users", headers=admin)).json()
    found: str = next(user["id"] for user in users if user["email"] == email)
    return found


async def with_many_users(tenant: Tenant, number: int) -> None:
    async with tenant.tx() as tx:
        for count in range(number):
            user = new_user(
                new_id(),
                email=f"user{count}@northlight.example",
                locale="en",
                role=Role.USER,
                now=tx.now,
            )
            await add_user(tx, replace(user, has_password=False), password_hash=None)


async def test_a_user_is_created_found_changed_and_deleted(api):
    admin = await an_admin(api)
    answer = await api.post(
        "/users", json={"email": "Ben@northlight.example", "password": PASSWORD}, headers=admin
    )
    assert answer.status_code == 201
    ben = answer.json()
    assert ben == {
        "id": ben["id"],
        "email": BEN,
        "role": "user",
        "lockedAt": None,
        "createdAt": NOON,
        "updatedAt": NOON,
    }
    assert (await api.get(f"/users/{ben['id']}", headers=admin)).json() == ben
    ada, listed = (await api.get("/users", headers=admin)).json()[::-1]
    assert listed == ben
    assert ada["emailConfirmedAt"] == NOON

    answer = await api.post(f"/users/{ben['id']}", json={"role": "controller"}, headers=admin)
    assert (answer.status_code, answer.json()) == (200, ben | {"role": "controller"})
    answer = await api.delete(f"/users/{ben['id']}", headers=admin)
    assert (answer.status_code, answer.content) == (204, b"")
    for gone in (
        await api.get(f"/users/{ben['id']}", headers=admin),
        await api.post(f"/users/{ben['id']}", json={}, headers=admin),
        await api.post(f"/users/{ben['id']}/lock", headers=admin),
        await api.delete(f"/users/{ben['id']}", headers=admin),
    ):
        assert (gone.status_code, gone.json()["error"]) == (404, "Not Found")


async def test_an_address_is_somebodys_once(api, tenant):
    admin = await an_admin(api)
    created = await api.post("/users", json={"email": BEN, "password": PASSWORD}, headers=admin)
    for path, body in [
        ("/users", {"email": ADA, "password": PASSWORD}),
        (f"/users/{created.json()['id']}", {"email": ADA.upper()}),
    ]:
        answer = await api.post(path, json=body, headers=admin)
        assert (answer.status_code, answer.json()["error"]) == (409, "Conflict")


async def test_nothing_opens_for_a_locked_user_whose_session_goes_on_afterwards(api, tenant):
    admin, ben = await an_admin(api), await a_user(api, tenant)
    ben_id = await id_of(api, BEN, admin)
    answer = await api.post(f"/users/{ben_id}/lock", headers=admin)
    assert (answer.status_code, answer.json()["lockedAt"]) == (201, NOON)
    refused = await api.get("/auth/tokens", headers=ben)
    assert told(refused) == (401, "This account is locked. Please contact an administrator.")

    answer = await api.post(f"/users/{ben_id}/unlock", headers=admin)
    assert (answer.status_code, answer.json()["lockedAt"]) == (201, None)
    assert await status_for(api, ben) == 200


async def test_an_administrator_remains_who_can_let_the_others_in(api):
    admin = await an_admin(api)
    own = f"/users/{await id_of(api, ADA, admin)}"
    assert (await api.post(f"{own}/lock", headers=admin)).status_code == 400
    assert (await api.post(f"{own}/unlock", headers=admin)).status_code == 400
    assert (await api.post(own, json={"role": "user"}, headers=admin)).status_code == 409
    assert (await api.delete(own, headers=admin)).status_code == 409
    assert await status_for(api, admin) == 200


async def test_another_address_is_confirmed_before_it_signs_in(api, tenant):
    admin, ben = await an_admin(api), await a_user(api, tenant)
    path = f"/users/{await id_of(api, BEN, admin)}"
    former = await code_for(tenant, BEN, CodePurpose.RESET_PASSWORD)
    answer = await api.post(path, json={"email": CARA}, headers=admin)
    assert (answer.status_code, answer.json()["email"]) == (200, CARA)
    assert "emailConfirmedAt" not in answer.json()

    assert await status_for(api, ben) == 200
    assert (await log_in(api, BEN)).status_code == 401
    assert (await log_in(api, CARA)).json()["code"] == "EMAIL_NOT_CONFIRMED"
    wanted = {"email": CARA, "code": former, "newPassword": OTHER_PASSWORD}
    assert (await api.post("/auth/reset-password", json=wanted)).status_code == 400
    assert (await confirm(api, tenant, CARA)).status_code == 200
    assert (await log_in(api, CARA)).status_code == 200


@pytest.mark.parametrize("change", [{"password": OTHER_PASSWORD}, {"role": "admin"}])
async def test_another_password_or_role_ends_the_sessions(api, tenant, change):
    admin, ben = await an_admin(api), await a_user(api, tenant)
    path = f"/users/{await id_of(api, BEN, admin)}"
    assert (await api.post(path, json=change, headers=admin)).status_code == 200
    assert told(await api.get("/auth/tokens", headers=ben)) == SESSION_OVER
    again = await log_in(api, BEN, change.get("password", PASSWORD))
    assert await status_for(api, bearing(again)) == 200


async def test_a_list_is_bounded_whatever_is_asked_for(api, tenant):
    admin = await an_admin(api)
    await with_many_users(tenant, 101)

    async def listed(**query: int) -> list[str]:
        answer = await api.get("/users", params=query, headers=admin)
        assert answer.status_code == 200
        return [user["email"] for user in answer.json()]

    everybody = await listed(limit=1000)
    assert len(everybody) == 100
    assert everybody[0] == "user100@northlight.example"
    assert await listed() == everybody[:10]
    assert await listed(limit=3, offset=5) == everybody[5:8]
    assert await listed(limit=5, offset=101) == [ADA]
    assert await listed(limit=0) == await listed(offset=10**30) == []


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/users?limit=-1", ["limit: Input should be greater than or equal to 0."]),
        ("/users?offset=-1", ["offset: Input should be greater than or equal to 0."]),
        ("/users?limit=ten", "Validation failed (numeric string is expected)"),
        ("/users/ben", "Validation failed (uuid v 4 is expected)"),
    ],
)
async def test_wrong_parameters_are_refused(api, path, message):
    admin = await an_admin(api)
    assert told(await api.get(path, headers=admin)) == (400, message)


async def test_wrong_members_are_refused(api):
    admin = await an_admin(api)
    body = {"email": "nobody", "password": "short", "role": "owner", "locked": False}
    answer = await api.post("/users", json=body, headers=admin)
    assert answer.status_code == 400
    assert {message.partition(":")[0] for message in answer.json()["message"]} == {
        "email",
        "password",
        "role",
        "property locked should not exist",
    }
    assert "short" not in answer.text


async def test_only_administrators_get_in(api, tenant):
    await an_admin(api)
    ben = await a_user(api, tenant)
    somebody = new_id()
    for method, path in [
        ("GET", "/users"),
        ("POST", "/users"),
        ("GET", f"/users/{somebody}"),
        ("POST", f"/users/{somebody}"),
        ("POST", f"/users/{somebody}/lock"),
        ("POST", f"/users/{somebody}/unlock"),
        ("DELETE", f"/users/{somebody}"),
        ("GET", f"/users/{somebody}/tokens"),
        ("DELETE", f"/users/{somebody}/tokens/{somebody}"),
    ]:
        assert told(await api.request(method, path)) == (
            401,
            "Missing or invalid authorization token",
        )
        assert told(await api.request(method, path, headers=ben)) == (403, "Forbidden resource")


async def test_users_of_another_tenant_are_nobody(api, tenant, other_tenant):
    admin = await an_admin(api)
    await register(api, CARA, **OTHER_TENANT)
    cara = await api.post(
        "/auth/login", json={"email": CARA, "password": PASSWORD}, headers=OTHER_TENANT
    )
    cara_id, there = cara.json()["user"]["id"], bearing(cara) | OTHER_TENANT
    for answer in (
        await api.get(f"/users/{cara_id}", headers=admin),
        await api.post(f"/users/{cara_id}", json={"role": "user"}, headers=admin),
        await api.post(f"/users/{cara_id}/lock", headers=admin),
        await api.delete(f"/users/{cara_id}", headers=admin),
        await api.get(f"/users/{cara_id}/tokens", headers=admin),
    ):
        assert answer.status_code == 404
    assert [user["email"] for user in (await api.get("/users", headers=there)).json()] == [CARA]
    assert (await api.get("/users", headers=admin)).json()[0]["email"] == ADA


async def test_where_there_is_only_a_key_there_are_no_users(tmp_path, database, tenant):
    variables = {"AUTHENTICATION_METHOD": "api-key", "STATIC_API_KEY": STATIC_KEY}
    key = {"Authorization": f"ApiKey {STATIC_KEY}"}
    async with calling(an_installation(tmp_path, database, **variables)) as api:
        answer = await api.post("/users", json={"email": ADA, "password": PASSWORD}, headers=key)
        assert told(answer) == (404, "Cannot POST /api/users")
        answer = await api.get(f"/users/{tenant.id}/tokens", headers=key)
        assert told(answer) == (404, f"Cannot GET /api/users/{tenant.id}/tokens")


async def test_a_new_user_is_written_to_in_the_language_that_the_request_prefers(api, tenant):
    admin = await an_admin(api)
    german = admin | {"Accept-Language": "de-AT, en;q=0.5"}
    await api.post("/users", json={"email": BEN, "password": PASSWORD}, headers=german)
    async with tenant.tx() as tx:
        assert await tx.fetch_value(
            "select locale from app_user where tenant_id = $1 and email = $2", tenant.id, BEN
        ) in {"de", "de-AT"}
