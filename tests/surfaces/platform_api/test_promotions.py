"""Can a platform offer promotions, watch them and stop them, each change once and by its own tenant?"""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.conftest import Tenant
from tests.features.promotions.redeeming import a_subscriber, redeem
from tests.surfaces.platform_api.requests import PLAN, created, got, rows_of

PERCENTAGE: dict[str, Any] = {
    "code": "spring20",
    "name": "20 % for three months",
    "kind": "percentage",
    "percent": "20",
    "duration": "periods",
    "duration_periods": 3,
}
FIXED: dict[str, Any] = {
    "code": "WELCOME",
    "name": "50 EUR to begin with",
    "kind": "fixed_amount",
    "amount": {"amount": "50.00", "currency": "EUR"},
}
FREE_DAYS = {"code": "WEEK", "name": "A week", "kind": "free_days", "count": 7}


async def test_created_and_read_are_the_same(client: httpx2.AsyncClient):
    await created(client, "/plans", PLAN)
    full = {
        **FIXED,
        "currency": "EUR",
        "plan_codes": ["team"],
        "customers": "new",
        "minimum": {"amount": "100.00", "currency": "EUR"},
        "maximum_redemptions": 10,
        "maximum_per_account": 1,
        "combinable": False,
        "redeemable_from": "2026-02-01T00:00:00Z",
        "redeemable_until": "2026-03-01T00:00:00Z",
        "metadata": {"campaign": "7"},
    }
    promotion = await created(client, "/promotions", full)
    assert {name: promotion[name] for name in full} == full
    assert (promotion["status"], promotion["redemptions"], promotion["version"]) == ("active", 0, 1)
    assert await got(client, "/promotions/welcome") == promotion

    short = await created(client, "/promotions", PERCENTAGE)
    assert (short["code"], short["percent"], short["amount"]) == ("SPRING20", "20", None)
    assert await got(client, "/promotions/Spring20") == short
    week = await created(client, "/promotions", FREE_DAYS)
    page = await got(client, "/promotions", limit=2)
    assert (page["data"], page["has_more"]) == ([week, short], True)
    rest = await got(client, "/promotions", limit=2, cursor=page["next_cursor"])
    assert rest["data"] == [promotion]
    assert (await got(client, "/promotions", status="archived"))["data"] == []


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({**PERCENTAGE, "percent": 20}, "decimal_text", "/percent"),
        ({**PERCENTAGE, "percent": "101"}, "promotion_term_out_of_range", "/percent"),
        ({**PERCENTAGE, "amount": FIXED["amount"]}, "promotion_term_unfit", "/amount"),
        ({**FIXED, "currency": "USD"}, "currencies_differ", ""),
        (
            {**FIXED, "amount": {"amount": "0.001", "currency": "EUR"}},
            "amount_too_fine",
            "/amount",
        ),
        ({**FREE_DAYS, "count": None}, "promotion_term_missing", "/count"),
        ({**FREE_DAYS, "code": "7 days"}, "promotion_code_invalid", "/code"),
        ({**FREE_DAYS, "plan_codes": ["nothing"]}, "plan_unknown_here", "/plan_codes/0"),
    ],
)
async def test_wrong_members_are_named(
    client: httpx2.AsyncClient, body: dict[str, Any], code: str, pointer: str
):
    response = await client.post("/promotions", json=body)
    assert response.status_code == 422, response.text
    (problem,) = response.json()["errors"]
    assert (problem["code"], problem["pointer"]) == (code, pointer)


async def test_a_limit_is_changed_and_taken_away(client: httpx2.AsyncClient):
    promotion = await created(client, "/promotions", {**FREE_DAYS, "maximum_redemptions": 5})
    until = {"redeemable_until": "2026-06-30T22:00:00Z"}
    changed = await client.patch("/promotions/week", json={**until, "name": None})
    assert changed.json() == {**promotion, **until, "version": 2}
    changed = await client.patch("/promotions/WEEK", json={"maximum_redemptions": None})
    assert changed.json() == {**promotion, **until, "maximum_redemptions": None, "version": 3}
    refused = await client.patch("/promotions/WEEK", json={"percent": "5"})
    assert refused.status_code == 422


async def test_redemptions_are_listed_and_ended(client: httpx2.AsyncClient, tenant: Tenant):
    await created(client, "/promotions", FIXED)
    await created(client, "/promotions", FREE_DAYS)
    subscriptions = [await a_subscriber(tenant) for _ in range(3)]
    async with tenant.tx() as tx:
        made = [await redeem(tx, subscription, "WELCOME") for subscription in subscriptions]
        await redeem(tx, subscriptions[0], "WEEK")
    page = await got(client, "/promotions/welcome/redemptions", limit=2)
    rest = await got(client, "/promotions/welcome/redemptions", limit=2, cursor=page["next_cursor"])
    listed = page["data"] + rest["data"]
    assert [one["id"] for one in listed] == [str(one.id) for one in reversed(made)]
    assert listed[2] == {
        "id": str(made[0].id),
        "promotion_code": "WELCOME",
        "account_id": str(subscriptions[0].account_id),
        "subscription_id": str(subscriptions[0].id),
        "state": "active",
        "remaining_amount": {"amount": "50.00", "currency": "EUR"},
        "remaining_periods": None,
        "remaining_seconds": None,
        "redeemed_at": "2026-01-15T12:00:00Z",
    }
    response = await client.get(
        "/promotions/WEEK/redemptions", params={"cursor": page["next_cursor"]}
    )
    assert response.json()["code"] == "cursor_invalid"

    for _ in range(2):
        ended = await client.post(f"/redemptions/{made[0].id}/end")
        assert ended.json() == {**listed[2], "state": "ended"}
    assert (await got(client, "/promotions/welcome"))["redemptions"] == 3


CHANGES = {
    "create": ("POST", "/promotions", FREE_DAYS),
    "update": ("PATCH", "/promotions/WELCOME", {"name": "Hello"}),
    "archive": ("POST", "/promotions/WELCOME/archive", None),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_the_same_key_changes_nothing(
    client: httpx2.AsyncClient, tenant: Tenant, change: str
):
    await created(client, "/promotions", FIXED)
    method, path, body = CHANGES[change]
    key = {"Idempotency-Key": "the first"}
    first = await client.request(method, path, json=body, headers=key)
    assert first.is_success, first.text
    after_first = await rows_of(tenant)
    again = await client.request(method, path, json=body, headers=key)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await rows_of(tenant) == after_first


async def test_another_tenant_sees_nothing_of_it(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient, tenant: Tenant
):
    await created(client, "/promotions", FIXED)
    async with tenant.tx() as tx:
        redemption = await redeem(tx, await a_subscriber(tenant), "WELCOME")
    assert (await got(other_client, "/promotions"))["data"] == []
    for method, path, code in [
        ("GET", "/promotions/WELCOME", "promotion_unknown"),
        ("PATCH", "/promotions/WELCOME", "promotion_unknown"),
        ("POST", "/promotions/WELCOME/archive", "promotion_unknown"),
        ("GET", "/promotions/WELCOME/redemptions", "promotion_unknown"),
        ("POST", f"/redemptions/{redemption.id}/end", "redemption_unknown"),
    ]:
        body = {} if method == "PATCH" else None
        response = await other_client.request(method, path, json=body)
        assert (response.status_code, response.json()["code"]) == (404, code)
    await created(other_client, "/promotions", FIXED)
