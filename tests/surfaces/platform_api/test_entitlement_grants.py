"""How does a platform give a customer more to use, and keep some of it for what it is about to do?"""

from __future__ import annotations

import httpx2

from tests.surfaces.platform_api.requests import created, got, subscribed

BOUGHT = {"feature": "api_calls", "amount": "500", "reason": "Bought beside the plan"}


async def test_a_grant_is_made_used_and_voided(client: httpx2.AsyncClient):
    subscription = await subscribed(client)
    path = f"/accounts/{subscription['account_id']}/entitlement-grants"
    made = await created(
        client,
        path,
        {**BOUGHT, "priority": 1, "recurrence": {"unit": "month"}, "metadata": {"order": "7"}},
    )
    assert (made["state"], made["amount"], made["balance"]) == ("active", "500", "500")
    assert (made["rollover_min"], made["rollover_max"]) == ("0", "500")
    assert made["recurrence"] == {"unit": "month", "count": 1}
    event = {
        "id": "1",
        "type": "api_calls",
        "time": "2026-01-15T12:00:00Z",
        "quantity": "120",
        "subscription_id": subscription["id"],
    }
    answer = await client.post("/usage", json={"events": [event]})
    assert answer.status_code == 200
    found = await got(client, f"/entitlement-grants/{made['id']}")
    assert found == {**made, "balance": "380"}
    assert (await got(client, path, feature="api_calls"))["data"] == [found]
    assert (await got(client, path, in_force_at="2026-01-15T11:59:59Z"))["data"] == []
    voided = await client.post(f"/entitlement-grants/{made['id']}/void")
    assert voided.json()["state"] == "voided"
    assert voided.json()["balance"] == "380"
    again = await client.post(f"/entitlement-grants/{made['id']}/void")
    assert (again.status_code, again.json()["code"]) == (409, "entitlement_grant_over")


async def test_a_repeated_grant_is_one(client: httpx2.AsyncClient):
    subscription = await subscribed(client)
    path = f"/accounts/{subscription['account_id']}/entitlement-grants"
    headers = {"Idempotency-Key": "once"}
    first, second = [await client.post(path, json=BOUGHT, headers=headers) for _ in range(2)]
    assert (first.status_code, second.json()) == (201, first.json())
    assert len((await got(client, path))["data"]) == 1


async def test_a_reservation_becomes_usage(client: httpx2.AsyncClient):
    subscription = await subscribed(client)
    wanted = {
        "account_id": subscription["account_id"],
        "feature": "api_calls",
        "amount": "900",
        "client_id": "job-4711",
    }
    reserved = await created(client, "/entitlements/reserve", wanted)
    assert (reserved["state"], reserved["limit"], reserved["used"]) == ("held", "1000", "0")
    assert reserved["remaining"] == "100"
    assert reserved["expires_at"] == "2026-01-15T12:05:00Z"
    refused = await client.post(
        "/entitlements/reserve", json={**wanted, "amount": "101", "client_id": "job-4712"}
    )
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (409, "entitlement_exhausted")
    assert problem["facts"] == {
        "feature_code": "api_calls",
        "limit": "1000",
        "used": "0",
        "remaining": "100",
        "resets_at": "2026-02-15T12:00:00+00:00",
    }
    assert await created(client, "/entitlements/reserve", wanted) == reserved
    path = f"/entitlements/reservations/{reserved['id']}"
    committed = (await client.post(f"{path}/commit", json={"amount": "750"})).json()
    assert (committed["state"], committed["committed_amount"]) == ("committed", "750")
    assert await got(client, path) == committed
    listed = await got(
        client, "/entitlements/reservations", state="committed", subscription_id=subscription["id"]
    )
    assert listed["data"] == [committed]
    usage = await got(client, f"/subscriptions/{subscription['id']}/usage")
    assert usage["limits"][0]["used"] == "750"
    other = await created(
        client, "/entitlements/reserve", {**wanted, "amount": "1", "client_id": "job-4713"}
    )
    released = await client.post(f"/entitlements/reservations/{other['id']}/release")
    assert released.json()["state"] == "released"


async def test_another_tenants_customer_cannot_be_given_anything_or_seen(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient
):
    subscription = await subscribed(client)
    path = f"/accounts/{subscription['account_id']}/entitlement-grants"
    made = await created(client, path, BOUGHT)
    wanted = {
        "account_id": subscription["account_id"],
        "feature": "api_calls",
        "amount": "1",
        "client_id": "job-1",
    }
    reserved = await created(client, "/entitlements/reserve", wanted)
    place = f"/entitlements/reservations/{reserved['id']}"
    for answer in (
        await other_client.post(path, json=BOUGHT),
        await other_client.get(path),
        await other_client.get(f"/entitlement-grants/{made['id']}"),
        await other_client.post(f"/entitlement-grants/{made['id']}/void"),
        await other_client.post("/entitlements/reserve", json=wanted),
        await other_client.get(place),
        await other_client.post(f"{place}/commit", json={}),
        await other_client.post(f"{place}/release"),
    ):
        assert answer.status_code == 404
    assert (await got(other_client, "/entitlements/reservations"))["data"] == []
