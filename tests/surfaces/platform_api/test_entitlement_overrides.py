"""How does a platform agree on something else with one customer?"""

from __future__ import annotations

import httpx2

from tests.surfaces.platform_api.requests import created, got, subscribed

REASON = {"reason": "Agreed for the launch"}


async def test_it_takes_the_place_of_what_the_plan_says_until_it_is_ended(
    client: httpx2.AsyncClient,
):
    subscription = await subscribed(client)
    path = f"/accounts/{subscription['account_id']}/entitlement-overrides"
    body = {"feature": "region", "definition": {"value": "us"}, **REASON}
    made = await created(client, path, body)
    assert made["definition"]["value"] == "us"
    assert (made["subscription_id"], made["expires_at"], made["ends_at"]) == (None, None, None)
    features = f"/subscriptions/{subscription['id']}/entitlements"

    async def region() -> str:
        answer = await got(client, features)
        return next(one["value"] for one in answer["features"] if one["feature"] == "region")

    assert await region() == "us"
    assert await got(client, f"/entitlement-overrides/{made['id']}") == made
    assert (await got(client, path, feature="region"))["data"] == [made]
    assert (await got(client, path, subscription_id=subscription["id"]))["data"] == []
    assert (await got(client, path, in_force_at="2026-01-15T11:59:59Z"))["data"] == []
    removed = await client.delete(f"/entitlement-overrides/{made['id']}")
    assert removed.json()["ends_at"] == removed.json()["removed_at"] == "2026-01-15T12:00:00Z"
    assert await region() == "eu"


async def test_a_repeated_request_overrides_once(client: httpx2.AsyncClient):
    subscription = await subscribed(client)
    path = f"/accounts/{subscription['account_id']}/entitlement-overrides"
    body = {
        "feature": "api_calls",
        "subscription_id": subscription["id"],
        "definition": {"value": None, "terms": {"limit_policy": "soft"}},
        **REASON,
    }
    headers = {"Idempotency-Key": "once"}
    first, second = [await client.post(path, json=body, headers=headers) for _ in range(2)]
    assert (first.status_code, second.json()) == (201, first.json())
    assert len((await got(client, path))["data"]) == 1


async def test_another_tenants_customer_cannot_be_favored_or_seen(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient
):
    subscription = await subscribed(client)
    path = f"/accounts/{subscription['account_id']}/entitlement-overrides"
    body = {"feature": "region", "definition": {"value": "us"}, **REASON}
    made = await created(client, path, body)
    for answer in (
        await other_client.post(path, json=body),
        await other_client.get(path),
        await other_client.get(f"/entitlement-overrides/{made['id']}"),
        await other_client.delete(f"/entitlement-overrides/{made['id']}"),
    ):
        assert answer.status_code == 404
