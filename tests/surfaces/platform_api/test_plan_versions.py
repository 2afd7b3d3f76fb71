"""Can a plan be sold on other terms, be renamed and be archived, each once and by its own tenant?"""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.conftest import Tenant
from tests.surfaces.platform_api.requests import ACCOUNT, PLAN, created, got, rows_of

TERMS: dict[str, Any] = {
    name: PLAN[name] for name in ("name", "interval", "components", "features")
} | {"terms": {"trial_days": 14}}

CHANGES = {
    "version": ("POST", "/plans/team/versions", TERMS),
    "name": ("PATCH", "/plans/team", {"name": "Crew"}),
    "archive": ("POST", "/plans/team/archive", None),
}


async def test_versions_are_read_one_by_one_and_newest_first(client: httpx2.AsyncClient):
    plan = await created(client, "/plans", PLAN)
    second = await created(client, "/plans/team/versions", {**TERMS, "name": "Team 2"})
    third = await created(
        client, "/plans/team/versions", {**TERMS, "name": "Team 3", "expected_version": 2}
    )
    first = await got(client, "/plans/team/versions/1")
    assert [one["version"] for one in (first, second, third)] == [1, 2, 3]
    assert {name: first[name] for name in TERMS} == {name: plan[name] for name in TERMS}
    assert (second["name"], second["plan_code"]) == ("Team 2", "team")
    assert second["terms"]["trial_days"] == 14

    page = await got(client, "/plans/team/versions", limit=2)
    assert (page["data"], page["has_more"]) == ([third, second], True)
    rest = await got(client, "/plans/team/versions", limit=2, cursor=page["next_cursor"])
    assert (rest["data"], rest["has_more"]) == ([first], False)

    now_sold = await got(client, "/plans/team")
    assert (now_sold["version"], now_sold["name"]) == (3, "Team")
    assert now_sold["components"] == third["components"]


async def test_a_cursor_belongs_to_its_plan(client: httpx2.AsyncClient):
    await created(client, "/plans", PLAN)
    await created(client, "/plans", {**PLAN, "code": "solo"})
    await created(client, "/plans/team/versions", TERMS)
    cursor = (await got(client, "/plans/team/versions", limit=1))["next_cursor"]
    response = await client.get("/plans/solo/versions", params={"cursor": cursor})
    assert (response.status_code, response.json()["code"]) == (422, "cursor_invalid")


async def test_terms_that_replace_another_version_are_refused(client: httpx2.AsyncClient):
    await created(client, "/plans", PLAN)
    response = await client.post("/plans/team/versions", json={**TERMS, "expected_version": 7})
    assert (response.status_code, response.json()["code"]) == (412, "plan_version_stale")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/plans/team/versions/2", 404, "plan_version_unknown"),
        ("/plans/team/versions/0", 422, "request_invalid"),
        ("/plans/team/versions/2147483648", 422, "request_invalid"),
        ("/plans/solo/versions", 404, "plan_unknown"),
    ],
)
async def test_what_is_not_there_is_said_so(
    client: httpx2.AsyncClient, path: str, status: int, code: str
):
    await created(client, "/plans", PLAN)
    response = await client.get(path)
    assert (response.status_code, response.json()["code"]) == (status, code)


async def test_a_plan_is_called_otherwise_and_keeps_what_is_not_named(client: httpx2.AsyncClient):
    plan = await created(client, "/plans", {**PLAN, "metadata": {"tier": "1"}})
    response = await client.patch("/plans/team", json={"name": "Crew", "description": "For\nall"})
    assert response.status_code == 200
    assert response.json() == {
        **plan,
        "name": "Crew",
        "description": "For\nall",
        "revision": 2,
    }
    assert await got(client, "/plans/team") == response.json()
    assert (await got(client, "/plans/team/versions/1"))["name"] == "Team"
    for wrong in ({"code": "crew"}, {"name": None}, {"name": ""}):
        assert (await client.patch("/plans/team", json=wrong)).status_code == 422


async def test_an_archived_plan_is_not_sold(client: httpx2.AsyncClient):
    await created(client, "/plans", PLAN)
    account = await created(client, "/accounts", ACCOUNT)
    for _ in range(2):
        response = await client.post("/plans/team/archive")
        assert (response.status_code, response.json()["status"]) == (200, "archived")
    refused = await client.post("/plans/team/versions", json=TERMS)
    assert (refused.status_code, refused.json()["code"]) == (409, "plan_archived")
    body = {"account_id": account["id"], "plan_code": "team"}
    refused = await client.post("/subscriptions", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "plan_archived")


@pytest.mark.parametrize("change", CHANGES)
async def test_the_same_key_changes_nothing(
    client: httpx2.AsyncClient, tenant: Tenant, change: str
):
    method, path, body = CHANGES[change]
    await created(client, "/plans", PLAN)
    key = {"Idempotency-Key": "the first"}
    first = await client.request(method, path, json=body, headers=key)
    assert first.is_success, first.text
    after_first = await rows_of(tenant)
    again = await client.request(method, path, json=body, headers=key)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await rows_of(tenant) == after_first


@pytest.mark.parametrize("change", CHANGES)
async def test_another_tenants_plan_is_left_alone(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient, change: str
):
    method, path, body = CHANGES[change]
    plan = await created(client, "/plans", PLAN)
    response = await other_client.request(method, path, json=body)
    assert (response.status_code, response.json()["code"]) == (404, "plan_unknown")
    assert await got(client, "/plans/team") == plan
