"""Are things found by what a platform knows of them?"""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.surfaces.platform_api.requests import ACCOUNT, PLAN, created, got

GOLD = {"metadata": {"tier": "gold", "region": "eu"}}
SILVER = {"metadata": {"tier": "silver", "region": "eu"}}


async def names(client: httpx2.AsyncClient, path: str, **asked: Any) -> list[str]:
    return [one["external_id"] for one in (await got(client, path, **asked))["data"]]


@pytest.fixture
async def accounts(client, clock):
    """One account a day, the first on 15 January 2026 at noon."""
    made = []
    for number, extra in enumerate((GOLD, SILVER, {}), start=1):
        body = {**ACCOUNT, "email": f"{number}@river.example", "external_id": f"crm-{number}"}
        made.append(await created(client, "/accounts", {**body, **extra}))
        clock.move_to(clock.now().replace(day=15 + number))
    return made


async def test_accounts_are_found_by_what_is_known_of_them(client, accounts):
    newest_first = ["crm-3", "crm-2", "crm-1"]
    assert await names(client, "/accounts") == newest_first
    for asked, found in (
        ({"external_id": "crm-2"}, ["crm-2"]),
        ({"email": "3@river.example"}, ["crm-3"]),
        ({"status": "active"}, newest_first),
        ({"status": "closed"}, []),
        ({"created_after": "2026-01-16T12:00:00Z"}, ["crm-3", "crm-2"]),
        ({"created_before": "2026-01-16T12:00:00Z"}, ["crm-1"]),
        (
            {"created_after": "2026-01-16T12:00:00Z", "created_before": "2026-01-17T12:00:00Z"},
            ["crm-2"],
        ),
        ({"metadata[tier]": "gold"}, ["crm-1"]),
        ({"metadata[region]": "eu"}, ["crm-2", "crm-1"]),
        ({"metadata[region]": "eu", "metadata[tier]": "silver"}, ["crm-2"]),
        ({"metadata[region]": "us"}, []),
        ({"metadata[Region]": "eu"}, []),
    ):
        assert await names(client, "/accounts", **asked) == found, asked


async def test_metadata_that_change_change_what_is_found(client, accounts):
    changes = {"metadata": {"tier": "bronze"}}
    await client.patch(f"/accounts/{accounts[0]['id']}", json=changes)
    assert await names(client, "/accounts", **{"metadata[region]": "eu"}) == ["crm-2"]
    assert await names(client, "/accounts", **{"metadata[tier]": "bronze"}) == ["crm-1"]


async def test_a_page_of_metadata_goes_on_with_the_same_metadata(client, accounts):
    asked = {"metadata[region]": "eu", "limit": 1}
    first = await got(client, "/accounts", **asked)
    rest = await got(client, "/accounts", **asked, cursor=first["next_cursor"])
    assert [one["external_id"] for one in (*first["data"], *rest["data"])] == ["crm-2", "crm-1"]
    assert rest["has_more"] is False
    other = {**asked, "metadata[region]": "us", "cursor": first["next_cursor"]}
    refused = await client.get("/accounts", params=other)
    assert (refused.status_code, refused.json()["code"]) == (422, "cursor_invalid")


@pytest.mark.parametrize(
    "query",
    [
        "metadata[]=x",
        f"metadata[{'k' * 41}]=x",
        f"metadata[k]={'v' * 501}",
        "metadata[k]=1&metadata[k]=2",
        "metadata[a]=1&metadata[b]=1&metadata[c]=1&metadata[d]=1&metadata[e]=1&metadata[f]=1",
    ],
)
async def test_metadata_that_nothing_can_have_are_refused(client, query):
    refused = await client.get(f"/accounts?{query}")
    assert refused.status_code == 422, refused.text
    [error] = refused.json()["errors"]
    assert (error["in"], error["code"]) == ("query", "metadata_filter")


async def test_subscriptions_plans_and_invoices_are_found(client, accounts, clock):
    await created(client, "/plans", {**PLAN, **GOLD})
    await created(client, "/plans", {**PLAN, "code": "solo"})
    await client.post("/plans/solo/archive")
    body = {"account_id": accounts[0]["id"], "plan_code": "team", "external_id": "order-1"}
    one = await created(client, "/subscriptions", {**body, **GOLD})
    clock.move_to(clock.now().replace(day=25))
    two = await created(client, "/subscriptions", {**body, "external_id": "order-2"})

    assert [plan["code"] for plan in (await got(client, "/plans", status="archived"))["data"]] == [
        "solo"
    ]
    found = (await got(client, "/plans", **{"metadata[tier]": "gold"}))["data"]
    assert [plan["code"] for plan in found] == ["team"]
    for asked, orders in (
        ({"plan_code": "team"}, ["order-2", "order-1"]),
        ({"plan_code": "solo"}, []),
        ({"plan_code": "nothing"}, []),
        ({"external_id": "order-1"}, ["order-1"]),
        ({"created_after": "2026-01-20T00:00:00Z"}, ["order-2"]),
        ({"metadata[tier]": "gold", "state": "active"}, ["order-1"]),
        ({"state": "paused"}, []),
    ):
        assert await names(client, "/subscriptions", **asked) == orders, asked

    [first], [second] = one["documents"], two["documents"]
    for asked, expected in (
        ({"number": first["number"]}, [first]),
        ({"issued_until": "2026-01-20"}, [first]),
        ({"issued_from": "2026-01-25"}, [second]),
        ({"due_until": "2026-02-01"}, [first]),  # 14 days after 18 January
        ({"due_from": "2026-02-02"}, [second]),
        ({"created_after": "2026-01-20T00:00:00Z"}, [second]),
        ({"state": "open", "account_id": accounts[0]["id"]}, [second, first]),
        ({"state": "draft"}, []),
        ({"subscription_id": one["id"]}, [first]),
    ):
        invoices = (await got(client, "/invoices", **asked))["data"]
        assert [each["id"] for each in invoices] == [each["id"] for each in expected], asked


async def test_another_tenants_metadata_find_nothing(client, other_client, accounts):
    assert await names(other_client, "/accounts", **{"metadata[region]": "eu"}) == []
