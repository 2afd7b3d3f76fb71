"""Whose commands does the manager API take, when a browser says which page sends them?"""

from __future__ import annotations

import pytest

from tests.surfaces.manager_api.serving import PAGE, PRODUCTION, an_application, calling

CHANGING = ("POST", "PUT", "PATCH", "DELETE")
REFUSED = {"statusCode": 403, "message": "Origin not allowed", "error": "Forbidden"}


@pytest.mark.parametrize(
    ("variables", "origin", "taken"),
    [
        ({}, "https://any.example", True),
        ({"CORS_ORIGIN": PAGE}, PAGE, True),
        ({"CORS_ORIGIN": PAGE}, PAGE.upper(), True),
        ({"CORS_ORIGIN": f"https://one.example,{PAGE.upper()}/"}, PAGE, True),
        ({"CORS_ORIGIN": PAGE}, f"{PAGE}.evil.example", False),
        ({"CORS_ORIGIN": PAGE}, PAGE.replace("https", "http"), False),
        ({"CORS_ORIGIN": PAGE}, "null", False),
        ({"CORS_ORIGIN": PAGE}, "", False),
        ({"CORS_ORIGIN": "*"}, "https://any.example", True),
        (PRODUCTION, PAGE, False),
        ({**PRODUCTION, "CORS_ORIGIN": PAGE}, PAGE, True),
        ({**PRODUCTION, "CORS_ORIGIN": PAGE}, "https://any.example", False),
        ({**PRODUCTION, "CORS_ORIGIN": "*"}, "https://any.example", True),
    ],
)
async def test_a_command_is_taken_from_an_allowed_page(tmp_path, variables, origin, taken):
    async with calling(an_application(tmp_path, **variables)) as client:
        for method in CHANGING:
            answer = await client.request(method, "/tried", headers={"Origin": origin})
            assert answer.status_code == (200 if taken else 403), method
            assert taken or answer.json() == REFUSED
        assert (await client.get("/tried", headers={"Origin": origin})).status_code == 200


async def test_an_origin_that_comes_twice_is_allowed_twice(tmp_path):
    async with calling(an_application(tmp_path, CORS_ORIGIN=PAGE)) as client:
        headers = [("Origin", PAGE), ("Origin", "https://any.example")]
        assert (await client.post("/tried", headers=headers)).status_code == 403


@pytest.mark.parametrize("variables", [PRODUCTION, {"CORS_ORIGIN": PAGE}])
async def test_who_names_no_origin_passes(tmp_path, variables):
    async with calling(an_application(tmp_path, **variables)) as client:
        for method in CHANGING:
            assert (await client.request(method, "/tried")).status_code == 200


async def test_addresses_that_servers_call_are_open(tmp_path):
    async with calling(an_application(tmp_path, **PRODUCTION)) as client:
        for path in ("/webhooks/payments/nobody", "/health"):
            answer = await client.post(path, headers={"Origin": "https://any.example"})
            assert answer.json()["message"] == f"Cannot POST /api{path}"


async def test_the_tenant_is_asked_first_and_unknown_addresses_are_refused_alike(tmp_path):
    headers = {"Origin": "https://any.example"}
    async with calling(an_application(tmp_path, **PRODUCTION)) as client:
        answer = await client.post("/nothing", headers=headers | {"X-Tenant": "nobody"})
        assert answer.json() == {"message": "Invalid or unknown tenant"}
        assert (await client.post("/nothing", headers=headers)).json() == REFUSED
