"""Which pages of other origins may read what the manager API answers?"""

from __future__ import annotations

import pytest

from tests.surfaces.manager_api.serving import PAGE, PRODUCTION, an_application, calling

OTHER = "https://other.example"
ALLOWED, CREDENTIALS = "access-control-allow-origin", "access-control-allow-credentials"


def words(header: str) -> set[str]:
    return {word.strip().lower() for word in header.split(",")}


def preflight(origin: str = PAGE, method: str = "PATCH", asked: str = "x-tenant") -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": asked,
    }


@pytest.mark.parametrize(
    ("variables", "origin", "allowed", "credentials"),
    [
        ({}, PAGE, "*", None),
        (PRODUCTION, PAGE, None, None),
        ({"CORS_ORIGIN": PAGE}, PAGE, PAGE, "true"),
        ({"CORS_ORIGIN": f"https://one.example, {PAGE}/"}, PAGE, PAGE, "true"),
        ({"CORS_ORIGIN": PAGE.upper()}, PAGE, PAGE, "true"),
        ({"CORS_ORIGIN": PAGE}, OTHER, None, "true"),
        ({**PRODUCTION, "CORS_ORIGIN": PAGE}, PAGE, PAGE, "true"),
        ({**PRODUCTION, "CORS_ORIGIN": "*"}, OTHER, "*", None),
    ],
)
async def test_a_page_may_read_if_it_is_allowed(tmp_path, variables, origin, allowed, credentials):
    async with calling(an_application(tmp_path, **variables)) as client:
        answer = await client.get("/health", headers={"Origin": origin})
        asked = await client.options("/nothing", headers=preflight(origin))
    assert answer.status_code == 200
    for each in (answer, asked):
        assert each.headers.get(ALLOWED) == allowed
        assert "origin" in words(each.headers["vary"])
        # Without an allowed origin it means nothing.
        assert allowed is None or each.headers.get(CREDENTIALS) == credentials
    assert asked.is_success == (allowed is not None)


async def test_a_preflight_is_answered_before_the_tenant_and_with_an_id(tmp_path):
    headers = preflight(asked="authorization,content-type,idempotency-key,x-tenant,x-request-id")
    async with calling(an_application(tmp_path, CORS_ORIGIN=PAGE)) as client:
        for path in ("/auth/login", "/nothing"):
            answer = await client.options(path, headers=headers | {"X-Correlation-Id": "web-1"})
            assert answer.status_code == 200
            assert answer.headers["x-correlation-id"] == "web-1"
            assert words(answer.headers["access-control-allow-methods"]) == {
                *("get", "post", "put", "patch", "delete", "options")
            }
            assert words(answer.headers["access-control-allow-headers"]) >= {
                *("content-type", "authorization", "x-correlation-id", "x-request-id"),
                *("x-tenant", "idempotency-key"),
            }
        refused = await client.options("/nothing", headers=preflight(asked="x-unheard-of"))
        assert not refused.is_success


@pytest.mark.parametrize(
    ("method", "path", "tenant", "status"),
    [
        ("GET", "/tried", "default", 200),
        ("GET", "/nothing", "default", 404),
        ("GET", "/tried", "nobody", 400),
        ("GET", "/bug", "default", 500),
    ],
)
async def test_a_page_reads_every_answer_and_what_is_said_beside_it(
    tmp_path, method, path, tenant, status
):
    headers = {"Origin": PAGE, "X-Tenant": tenant}
    async with calling(an_application(tmp_path, CORS_ORIGIN=PAGE)) as client:
        answer = await client.request(method, path, headers=headers)
    assert answer.status_code == status
    assert answer.headers[ALLOWED] == PAGE
    assert words(answer.headers["access-control-expose-headers"]) == {
        *("content-range", "x-content-range", "x-correlation-id", "retry-after"),
        *("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
    }


async def test_what_an_answer_varies_by_is_kept(tmp_path, database):
    async with calling(an_application(tmp_path, database, CORS_ORIGIN=PAGE)) as client:
        answer = await client.get("/config", headers={"Origin": PAGE})
    assert words(answer.headers["vary"]) == {"x-tenant", "origin"}


async def test_options_that_is_no_preflight_has_no_address(tmp_path):
    async with calling(an_application(tmp_path, CORS_ORIGIN=PAGE)) as client:
        answer = await client.options("/config", headers={"Origin": PAGE})
    assert (answer.status_code, answer.json()["message"]) == (404, "Cannot OPTIONS /api/config")
