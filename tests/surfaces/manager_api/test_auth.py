"""Does signing in hold from the first registration to the last session?"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from billwright.features.identity.model import CodePurpose
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
    signed_in,
    status_for,
    told,
)

WITH_PASSWORDS = [
    "login",
    "register",
    "confirm-email",
    "request-password-reset",
    "reset-password",
    "change-password",
    "logout",
]


@pytest_asyncio.fixture
async def api(tmp_path, database, tenant) -> AsyncIterator[httpx2.AsyncClient]:
    async with calling(an_installation(tmp_path, database)) as client:
        yield client


async def test_the_first_user_is_an_administrator_at_once(api):
    answer = await register(api, "Ada@Northlight.example")
    assert answer.status_code == 201
    body = answer.json()
    assert body.keys() == {"user", "message", "emailConfirmed"}
    assert body["emailConfirmed"] is True
    assert body["user"] == {"id": body["user"]["id"], "email": ADA, "role": "admin"}

    answer = await log_in(api, ADA.upper())
    assert answer.status_code == 200
    assert answer.json() == {
        "access_token": answer.json()["access_token"],
        "user": body["user"],
    }
    assert await status_for(api, bearing(answer)) == 200


async def test_everybody_else_confirms_the_address_by_a_code_that_works_once(api, tenant):
    await register(api, ADA)
    answer = await register(api, BEN)
    assert (answer.status_code, answer.json()["user"]["role"]) == (201, "user")
    assert answer.json()["emailConfirmed"] is False

    refused = await log_in(api, BEN)
    assert refused.status_code == 401
    assert refused.json() == {
        "message": "Email not confirmed. Please confirm your email before logging in.",
        "code": "EMAIL_NOT_CONFIRMED",
    }
    code = await code_for(tenant, BEN, CodePurpose.CONFIRM_EMAIL)
    wrong = "A" * 6 if code != "A" * 6 else "B" * 6
    for email, tried, status in [
        (BEN, wrong, 400),
        (ADA, code, 400),
        (BEN, code, 200),
        (BEN, code, 400),
    ]:
        answer = await api.post("/auth/confirm-email", json={"email": email, "code": tried})
        assert answer.status_code == status
    assert (await log_in(api, BEN)).status_code == 200


async def test_who_registers_again_learns_nothing_and_changes_nothing(api):
    await an_admin(api)
    first, again = await register(api, BEN), await register(api, BEN)
    known, unknown = first.json(), again.json()
    assert (first.status_code, again.status_code) == (201, 201)
    assert known["user"].pop("id") != unknown["user"].pop("id")
    assert known == unknown

    taken_over = {"email": ADA, "password": OTHER_PASSWORD}
    assert (await api.post("/auth/register", json=taken_over)).status_code == 201
    assert (await log_in(api, ADA, OTHER_PASSWORD)).status_code == 401
    assert (await log_in(api, ADA)).status_code == 200


async def test_nobody_may_register_where_signup_is_disabled(tmp_path, database, tenant):
    async with calling(an_installation(tmp_path, database, DISABLE_SIGNUP="true")) as api:
        answer = await register(api, ADA)
    assert answer.status_code == 503
    assert answer.json() == {
        "statusCode": 503,
        "message": "Signup is disabled",
        "error": "Service Unavailable",
    }


async def test_an_unknown_address_and_a_wrong_password_are_the_same(api):
    await register(api, ADA)
    answers = [await log_in(api, ADA, "wrong"), await log_in(api, BEN, PASSWORD)]
    assert [answer.json() for answer in answers] == [
        {"statusCode": 401, "message": "Invalid email or password", "error": "Unauthorized"}
    ] * 2


async def test_another_password_ends_every_session_but_the_one_that_it_begins(api):
    mine, elsewhere = await an_admin(api), await signed_in(api, ADA)
    wanted = {
        "currentPassword": PASSWORD,
        "newPassword": OTHER_PASSWORD,
        "newPasswordConfirmation": OTHER_PASSWORD,
    }
    for wrong, status in [
        ({"newPasswordConfirmation": "something else"}, 400),
        ({"currentPassword": "wrong"}, 401),
    ]:
        answer = await api.post("/auth/change-password", json=wanted | wrong, headers=mine)
        assert answer.status_code == status
        assert isinstance(answer.json()["message"], str)
    assert await status_for(api, mine) == 200

    answer = await api.post("/auth/change-password", json=wanted, headers=mine)
    assert answer.json().keys() == {"message", "access_token"}
    assert await status_for(api, bearing(answer)) == 200
    for over in (mine, elsewhere):
        assert told(await api.get("/auth/tokens", headers=over)) == SESSION_OVER
    assert (await log_in(api, ADA)).status_code == 401
    assert (await log_in(api, ADA, OTHER_PASSWORD)).status_code == 200


async def test_a_forgotten_password_is_set_anew_by_a_code(api, tenant):
    mine = await an_admin(api)
    asked = [
        await api.post("/auth/request-password-reset", json={"email": email})
        for email in (ADA, "nobody@northlight.example")
    ]
    assert [answer.status_code for answer in asked] == [200, 200]
    assert asked[0].json() == asked[1].json()
    assert asked[0].json().keys() == {"message"}

    code = await code_for(tenant, ADA, CodePurpose.RESET_PASSWORD)
    wanted = {"email": ADA, "code": code, "newPassword": OTHER_PASSWORD}
    answer = await api.post("/auth/reset-password", json=wanted)
    assert (answer.status_code, answer.json().keys()) == (200, {"message"})
    assert (await api.post("/auth/reset-password", json=wanted)).status_code == 400
    assert told(await api.get("/auth/tokens", headers=mine)) == SESSION_OVER
    assert (await log_in(api, ADA, OTHER_PASSWORD)).status_code == 200


async def test_a_code_for_one_purpose_is_none_for_the_other(api, tenant):
    await register(api, ADA)
    await register(api, BEN)
    code = await code_for(tenant, BEN, CodePurpose.CONFIRM_EMAIL)
    wanted = {"email": BEN, "code": code, "newPassword": OTHER_PASSWORD}
    assert (await api.post("/auth/reset-password", json=wanted)).status_code == 400


@pytest.mark.parametrize("body", [None, {}, {"invalidateAllSessions": False}])
async def test_signing_out_ends_this_session_alone(api, body):
    mine, elsewhere = await an_admin(api), await signed_in(api, ADA)
    answer = await api.post("/auth/logout", json=body, headers=mine)
    assert (answer.status_code, answer.content) == (204, b"")
    assert told(await api.post("/auth/logout", headers=mine)) == SESSION_OVER
    assert await status_for(api, elsewhere) == 200


async def test_signing_out_everywhere_ends_every_session(api):
    mine, elsewhere = await an_admin(api), await signed_in(api, ADA)
    answer = await api.post("/auth/logout", json={"invalidateAllSessions": True}, headers=mine)
    assert answer.status_code == 204
    for over in (mine, elsewhere):
        assert told(await api.get("/auth/tokens", headers=over)) == SESSION_OVER


async def test_another_tenant_has_other_users(api, tenant, other_tenant):
    mine = await an_admin(api)
    answer = await api.get("/auth/tokens", headers=mine | OTHER_TENANT)
    assert told(answer) == SESSION_OVER
    there = await api.post(
        "/auth/login", json={"email": ADA, "password": PASSWORD}, headers=OTHER_TENANT
    )
    assert there.status_code == 401
    answer = await register(api, ADA, **OTHER_TENANT)
    assert answer.json()["user"]["role"] == "admin"
    code = await code_for(tenant, ADA, CodePurpose.RESET_PASSWORD)
    wanted = {"email": ADA, "code": code, "newPassword": OTHER_PASSWORD}
    answer = await api.post("/auth/reset-password", json=wanted, headers=OTHER_TENANT)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "messages"),
    [
        (
            "/auth/login",
            {"email": "nobody", "password": "", "remember": True},
            {"email", "property remember should not exist"},
        ),
        ("/auth/register", {"email": ADA, "password": "7 chars"}, {"password"}),
        ("/auth/register", {}, {"email", "password"}),
        ("/auth/register", {"email": "a\n@b.example", "password": PASSWORD}, {"email"}),
        ("/auth/confirm-email", {"email": ADA, "code": "abc123"}, {"code"}),
        (
            "/auth/reset-password",
            {"email": ADA, "code": "ABC1234", "newPassword": "short"},
            {"code", "newPassword"},
        ),
        ("/auth/token", {"token": 7}, {"token"}),
    ],
)
async def test_what_is_wrong_is_named_by_its_field(api, path, body, messages):
    answer = await api.post(path, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"] == "Bad Request"
    assert {message.partition(":")[0] for message in answer.json()["message"]} == messages


@pytest.mark.parametrize(
    "variables",
    [
        {"AUTHENTICATION_METHOD": "api-key", "STATIC_API_KEY": STATIC_KEY},
        {
            "AUTHENTICATION_METHOD": "keycloak",
            "OIDC_ISSUER": "https://login.example.com",
            "KEYCLOAK_CLIENT_ID": "console",
        },
    ],
    ids=["api-key", "keycloak"],
)
async def test_passwords_have_no_address_where_nobody_signs_in_by_them(
    tmp_path, database, tenant, variables
):
    async with calling(an_installation(tmp_path, database, **variables)) as api:
        for name in WITH_PASSWORDS:
            answer = await api.post(f"/auth/{name}", json={})
            assert told(answer) == (404, f"Cannot POST /api/auth/{name}")


async def test_confirming_an_address_needs_no_session_and_gives_none(api, tenant):
    await register(api, ADA)
    await register(api, BEN)
    answer = await confirm(api, tenant, BEN)
    assert (answer.status_code, answer.json().keys()) == (200, {"message"})


async def test_a_locked_user_does_not_sign_in(api, tenant):
    admin = await an_admin(api)
    ben = await a_user(api, tenant)
    users = (await api.get("/users", headers=admin)).json()
    ben_id = next(user["id"] for user in users if user["email"] == BEN)
    await api.post(f"/users/{ben_id}/lock", headers=admin)
    locked = (401, "This account is locked. Please contact an administrator.")
    assert told(await log_in(api, BEN)) == locked
    assert told(await api.get("/auth/tokens", headers=ben)) == locked
