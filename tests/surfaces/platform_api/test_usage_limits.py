"""Does the usage of a subscription say of its limits what its entitlements say?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest_asyncio

from tests.conftest import NOON
from tests.surfaces.platform_api.requests import ACCOUNT, created, got

CALLS: dict[str, Any] = {"code": "calls", "name": "Calls", "kind": "metered"}
DAILY: dict[str, Any] = {"reset": {"kind": "calendar", "interval": {"unit": "day"}}}
PLAN: dict[str, Any] = {
    "code": "api",
    "name": "API",
    "interval": {"unit": "month"},
    "components": [
        {
            "code": "more",
            "name": "More calls",
            "optional": True,
            "prices": [{"model": "per_unit", "currency": "EUR", "price": "5.00"}],
        }
    ],
    "features": [
        {**CALLS, "value": "100"},
        {**CALLS, "value": "20", "add_on": "more"},
        {"code": "exports", "name": "Exports", "kind": "metered", "value": "5", "terms": DAILY},
        {"code": "mails", "name": "Mails", "kind": "metered", "value": None},
        {"code": "sso", "name": "Single sign-on", "kind": "boolean", "value": True},
    ],
}
_NUMBERS = ("limit", "used", "remaining", "resets_at")
PERIOD_END = "2026-02-15T12:00:00Z"


@pytest_asyncio.fixture
async def subscription(client: httpx2.AsyncClient) -> dict[str, Any]:
    """100 calls of the plan and 2.5 units of 20 each; 5 exports a day, and mails without a limit."""
    await created(client, "/plans", PLAN)
    account = await created(client, "/accounts", {**ACCOUNT, "zone": "UTC"})
    body = {"account_id": account["id"], "plan_code": "api", "quantities": {"more": "2.5"}}
    return await created(client, "/subscriptions", body)


async def limits_of(
    client: httpx2.AsyncClient, subscription: dict[str, Any]
) -> dict[str, tuple[Any, ...]]:
    """What the usage says of each limit, once the entitlements have been seen to say the same."""
    path = f"/subscriptions/{subscription['id']}"
    usage = await got(client, f"{path}/usage")
    entitlements = await got(client, f"{path}/entitlements")
    limits = {one["feature"]: tuple(one[name] for name in _NUMBERS) for one in usage["limits"]}
    assert limits == {
        one["feature"]: tuple(one[name] for name in _NUMBERS)
        for one in entitlements["features"]
        if one["kind"] == "metered"
    }
    return limits


async def use(
    client: httpx2.AsyncClient, subscription: dict[str, Any], of: str, quantity: str, at: datetime
) -> None:
    event = {
        "id": f"{of} {at}",
        "type": of,
        "time": at.isoformat(),
        "quantity": quantity,
        "subscription_id": subscription["id"],
    }
    answer = await client.post("/usage", json={"events": [event]})
    assert answer.status_code == 200, answer.text


async def override(
    client: httpx2.AsyncClient, subscription: dict[str, Any], value: str | None, **changes: Any
) -> None:
    path = f"/accounts/{subscription['account_id']}/entitlement-overrides"
    body = {"feature": "calls", "definition": {"value": value}, "reason": "Agreed", **changes}
    await created(client, path, body)


async def grant(client: httpx2.AsyncClient, subscription: dict[str, Any], **changes: Any) -> None:
    path = f"/accounts/{subscription['account_id']}/entitlement-grants"
    await created(client, path, {"feature": "calls", "reason": "Bought", **changes})


async def test_the_units_of_an_add_on_add_to_the_limit_of_the_plan(
    client: httpx2.AsyncClient, subscription: dict[str, Any]
):
    await use(client, subscription, "calls", "120", NOON)
    limits = await limits_of(client, subscription)
    # 100 and 2.5 units of 20 each.
    assert limits["calls"] == ("150", "120", "30", PERIOD_END)
    usage = await got(client, f"/subscriptions/{subscription['id']}/usage")
    names = [(one["feature"], one["name"]) for one in usage["limits"]]
    assert names == [("calls", "Calls"), ("exports", "Exports"), ("mails", "Mails")]


async def test_without_a_limit_what_was_used_is_told(
    client: httpx2.AsyncClient, subscription: dict[str, Any]
):
    await use(client, subscription, "mails", "1000000", NOON)
    limits = await limits_of(client, subscription)
    assert limits["mails"] == (None, "1000000", None, PERIOD_END)


async def test_an_override_replaces_what_the_plan_and_its_add_ons_give(
    client: httpx2.AsyncClient, subscription: dict[str, Any]
):
    await use(client, subscription, "calls", "120", NOON)
    await override(client, subscription, "130", subscription_id=subscription["id"])
    assert (await limits_of(client, subscription))["calls"][:3] == ("130", "120", "10")
    await override(client, subscription, "400")
    assert (await limits_of(client, subscription))["calls"][:3] == ("400", "120", "280")
    await override(client, subscription, None)
    assert (await limits_of(client, subscription))["calls"][:3] == (None, "120", None)


async def test_what_is_reserved_does_not_remain_until_it_is_given_back(
    client: httpx2.AsyncClient, subscription: dict[str, Any], clock
):
    await use(client, subscription, "calls", "120", NOON)
    wanted = {
        "subscription_id": subscription["id"],
        "feature": "calls",
        "amount": "25",
        "client_id": "job-1",
        "ttl_seconds": 60,
    }
    await created(client, "/entitlements/reserve", wanted)
    assert (await limits_of(client, subscription))["calls"][:3] == ("150", "120", "5")
    clock.move_to(NOON + timedelta(seconds=60))
    assert (await limits_of(client, subscription))["calls"][:3] == ("150", "120", "30")


async def test_a_grant_adds_what_is_left_of_it_and_rolls_over(
    client: httpx2.AsyncClient, subscription: dict[str, Any], clock
):
    """Of 50 that were granted and are used first, 10 are left for the next period."""
    await grant(client, subscription, amount="50", rollover_max="30", priority=1)
    clock.move_to(NOON + timedelta(hours=1))
    await use(client, subscription, "calls", "40", clock.now())
    assert (await limits_of(client, subscription))["calls"] == ("200", "40", "160", PERIOD_END)
    clock.move_to(datetime(2026, 2, 15, 13, tzinfo=UTC))
    renewed = await client.post(f"/subscriptions/{subscription['id']}/renew")
    assert renewed.is_success, renewed.text
    assert (await limits_of(client, subscription))["calls"] == (
        "160",
        "0",
        "160",
        "2026-03-15T12:00:00Z",
    )


async def test_a_grant_alone_gives_a_limit(
    client: httpx2.AsyncClient, subscription: dict[str, Any]
):
    feature = {"code": "scans", "name": "Scans", "kind": "metered"}
    await created(client, "/features", feature)
    await grant(client, subscription, feature="scans", amount="7")
    await use(client, subscription, "scans", "3", NOON)
    limits = await limits_of(client, subscription)
    assert limits["scans"][:3] == ("7", "3", "4")


async def test_a_count_that_starts_anew_within_the_period_says_when(
    client: httpx2.AsyncClient, subscription: dict[str, Any], clock
):
    await use(client, subscription, "exports", "4", NOON)
    before = await limits_of(client, subscription)
    assert before["exports"] == ("5", "4", "1", "2026-01-16T00:00:00Z")
    clock.move_to(NOON + timedelta(days=1))
    after = await limits_of(client, subscription)
    assert after["exports"] == ("5", "0", "5", "2026-01-17T00:00:00Z")


async def test_what_subscriptions_share_is_told_of_each(
    client: httpx2.AsyncClient, subscription: dict[str, Any]
):
    """The second one brings 100 calls, and what the first one uses is used of all 250."""
    body = {"account_id": subscription["account_id"], "plan_code": "api"}
    second = await created(client, "/subscriptions", body)
    await use(client, subscription, "calls", "120", NOON)
    for one in (subscription, second):
        assert (await limits_of(client, one))["calls"][:3] == ("250", "120", "130")


async def test_a_subscription_that_has_ended_has_no_limits(
    client: httpx2.AsyncClient, subscription: dict[str, Any]
):
    path = f"/subscriptions/{subscription['id']}"
    ended = await client.post(f"{path}/cancel", json={"mode": "now"})
    assert ended.is_success
    assert await limits_of(client, subscription) == {}
