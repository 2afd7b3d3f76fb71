"""Is it told what a customer may use, and why?"""

from __future__ import annotations

from typing import Any

import httpx2

from tests.surfaces.platform_api.requests import created, got, subscribed


def sources(entitlement: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Each source with its value, whether it counts and whether it is withheld."""
    return [
        (one["kind"], (one["definition"] or {}).get("value"), one["counts"], one["withheld"])
        for one in entitlement["sources"]
    ]


async def test_every_source_is_told_and_which_of_them_count(client: httpx2.AsyncClient):
    """1000 calls of the plan are replaced by 50 of an override; what the default gives is not needed."""
    subscription = await subscribed(client)
    path = f"/accounts/{subscription['account_id']}"
    await client.put("/features/region/default", json={"value": "us"})
    override = await created(
        client,
        f"{path}/entitlement-overrides",
        {
            "feature": "api_calls",
            "definition": {"value": "50"},
            "reason": "Trying out",
            "expires_at": "2026-02-01T00:00:00Z",
        },
    )
    calls, region, sso = (await got(client, f"{path}/entitlements"))["data"]
    assert sources(calls) == [
        ("account_override", "50", True, False),
        ("plan", "1000", False, False),
    ]
    (first, second) = calls["sources"]
    assert (first["override_id"], first["ends_at"]) == (override["id"], "2026-02-01T00:00:00Z")
    assert second["subscription_id"] == subscription["id"]
    assert (calls["limit"], calls["used"], calls["remaining"]) == ("50", "0", "50")
    assert sources(region) == [("plan", "eu", True, False), ("default", "us", False, False)]
    assert (region["value"], region["allowed"], region["reason"]) == ("eu", True, None)
    assert sources(sso) == [("plan", True, True, False)]
    assert await got(client, f"{path}/entitlements/sso") == sso


async def test_they_are_listed_page_by_page(client: httpx2.AsyncClient):
    subscription = await subscribed(client)
    path = f"/accounts/{subscription['account_id']}/entitlements"
    first = await got(client, path, limit=2)
    second = await got(client, path, limit=2, cursor=first["next_cursor"])
    told = [one["feature"] for one in first["data"] + second["data"]]
    assert told == ["api_calls", "region", "sso"]
    assert not second["has_more"]


async def test_what_nothing_gives_has_no_sources(client: httpx2.AsyncClient):
    await subscribed(client)
    bare = await created(client, "/accounts", {"name": "Quiet Corner"})
    path = f"/accounts/{bare['id']}/entitlements"
    assert (await got(client, path))["data"] == []
    answer = await got(client, f"{path}/api_calls")
    assert (answer["allowed"], answer["reason"], answer["sources"]) == (False, "not_entitled", [])
    assert (await client.get(f"{path}/none")).json()["code"] == "feature_unknown"


async def test_another_tenants_customer_is_unknown(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient
):
    subscription = await subscribed(client)
    await subscribed(other_client)
    path = f"/accounts/{subscription['account_id']}/entitlements"
    for end in ("", "/sso"):
        answer = await other_client.get(path + end)
        assert (answer.status_code, answer.json()["code"]) == (404, "account_unknown")
