"""Can a platform see what renews, at which price, and decide otherwise?"""

from __future__ import annotations

from typing import Any

import httpx2

from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.runtime.clock import FixedClock
from tests.conftest import Tenant
from tests.surfaces.platform_api.commanding import (
    BUSINESS,
    everything_of,
)
from tests.surfaces.platform_api.requests import (
    ACCOUNT,
    PLAN,
    changed,
    created,
    got,
    subscribed,
)

YEARLY = {**PLAN, "code": "yearly", "interval": {"unit": "year"}}


async def patched(
    client: httpx2.AsyncClient, subscription: dict[str, Any], **body: Any
) -> dict[str, Any]:
    response = await client.patch(f"/subscriptions/{subscription['id']}/renewal", json=body)
    assert response.status_code == 200, response.text
    assert response.headers["ETag"] == f'"{response.json()["version"]}"'
    return response.json()


async def test_what_a_renewal_brings_is_told_and_comes(
    client: httpx2.AsyncClient, tenant: Tenant, clock: FixedClock
):
    subscription = await subscribed(client)
    path = f"/subscriptions/{subscription['id']}"
    before = await everything_of(tenant)
    response = await client.get(f"{path}/renewal")
    renewal = response.json()
    assert await everything_of(tenant) == before
    assert response.headers["ETag"] == '"1"'
    assert (renewal["renews_at"], renewal["renews"], renewal["outcome"]) == (
        "2026-02-15T12:00:00Z",
        True,
        "continue",
    )
    # 29.00 + 3 * 9.90 = 58.70, and 19 % of that, 11.153.
    [document] = renewal["documents"]
    assert (document["subtotal"]["amount"], document["total"]["amount"]) == ("58.70", "69.85")
    assert document["issued_on"] == "2026-02-15"
    assert [line["description"] for line in document["lines"]]
    assert (renewal["reminder_at"], renewal["problem"]) == (None, None)

    clock.move_to(clock.now().replace(month=2))
    await renew_due_subscriptions(tenant.work())
    invoices = (await got(client, "/invoices"))["data"]
    made = await got(client, f"/invoices/{invoices[0]['id']}")
    assert (made["total"], made["issued_on"]) == (document["total"], document["issued_on"])


async def test_it_is_told_at_the_time_of_a_test_clock(client: httpx2.AsyncClient):
    test_clock = await created(client, "/test-clocks", {"name": "t", "now": "2026-01-31T08:30:00Z"})
    await created(client, "/plans", PLAN)
    account = await created(client, "/accounts", {**ACCOUNT, "test_clock_id": test_clock["id"]})
    body = {"account_id": account["id"], "plan_code": "team"}
    subscription = await created(client, "/subscriptions", body)
    renewal = await got(client, f"/subscriptions/{subscription['id']}/renewal")
    assert [one["issued_on"] for one in renewal["documents"]] == ["2026-02-28"]


async def test_it_is_turned_off_and_on(client: httpx2.AsyncClient):
    subscription = await subscribed(client)
    off = await patched(client, subscription, renews=False)
    assert (off["renews"], off["outcome"], off["documents"]) == (False, "end", [])
    on = await patched(client, subscription, renews=True)
    assert (on["renews"], len(on["documents"])) == (True, 1)


async def test_it_renews_to_another_price_or_plan(client: httpx2.AsyncClient):
    subscription = await subscribed(client)
    await created(client, "/plans", BUSINESS)
    second = changed(PLAN, "components", 0, "prices", 0, "price", to="39.00")
    terms = {name: value for name, value in second.items() if name != "code"}
    await created(client, "/plans/team/versions", terms)
    newer = await patched(client, subscription, change={"version": 2})
    # 39.00 + 29.70 = 68.70, and 19 %, 13.053.
    assert [one["total"]["amount"] for one in newer["documents"]] == ["81.75"]
    assert newer["pending_change"]["plan"]["version"] == 2
    other = await patched(
        client, subscription, change={"plan_code": "business", "quantities": {"seats": "1"}}
    )
    # 59.00 + 12.00 = 71.00, and 19 %, 13.49.
    assert [one["total"]["amount"] for one in other["documents"]] == ["84.49"]
    kept = await patched(client, subscription, reminder_days=5)
    assert kept["pending_change"] == other["pending_change"]
    assert (kept["reminder_days"], kept["reminder_at"]) == (5, "2026-02-10T12:00:00Z")
    same = await patched(client, subscription, change=None)
    assert (same["pending_change"], same["documents"][0]["total"]["amount"]) == (None, "69.85")


async def test_a_year_has_a_reminder_that_can_be_switched_off(client: httpx2.AsyncClient):
    await created(client, "/plans", YEARLY)
    account = await created(client, "/accounts", ACCOUNT)
    body = {"account_id": account["id"], "plan_code": "yearly"}
    subscription = await created(client, "/subscriptions", body)
    renewal = await got(client, f"/subscriptions/{subscription['id']}/renewal")
    assert (renewal["reminder_at"], renewal["reminder_days"]) == ("2027-01-08T12:00:00Z", None)
    off = await patched(client, subscription, reminder_days=0)
    assert (off["reminder_at"], off["renews"]) == (None, True)
    assert (await patched(client, subscription, reminder_days=None))["reminder_at"] is not None


async def test_a_decision_rests_on_what_was_seen_and_names_one_price(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient
):
    subscription = await subscribed(client)
    path = f"/subscriptions/{subscription['id']}/renewal"
    stale = await client.patch(path, json={"renews": False}, headers={"If-Match": '"9"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "version_stale")
    for change in ({}, {"version": 2, "plan_code": "team"}):
        assert (await client.patch(path, json={"change": change})).status_code == 422
    for ask in (other_client.get(path), other_client.patch(path, json={"renews": False})):
        foreign = await ask
        assert (foreign.status_code, foreign.json()["code"]) == (404, "subscription_unknown")


async def test_what_stands_still_has_no_renewal(client: httpx2.AsyncClient):
    subscription = await subscribed(client)
    await client.post(f"/subscriptions/{subscription['id']}/pause", json={})
    renewal = await got(client, f"/subscriptions/{subscription['id']}/renewal")
    assert (renewal["renews_at"], renewal["renews"], renewal["documents"]) == (None, False, [])


async def test_what_is_due_is_listed_in_its_order(client: httpx2.AsyncClient):
    monthly = await subscribed(client)
    await created(client, "/plans", YEARLY)
    body = {"account_id": monthly["account_id"], "plan_code": "yearly"}
    yearly = await created(client, "/subscriptions", body)

    async def ids(**filters: Any) -> list[str]:
        listed = await got(client, "/renewals", **filters)
        return [one["subscription_id"] for one in listed["data"]]

    assert await ids() == [monthly["id"], yearly["id"]]
    assert await ids(renews_before="2026-12-31T00:00:00Z") == [monthly["id"]]
    assert await ids(renews_after="2026-12-31T00:00:00Z") == [yearly["id"]]
    assert await ids(plan_code="yearly", account_id=monthly["account_id"]) == [yearly["id"]]
    await client.post(f"/subscriptions/{monthly['id']}/cancel", json={"mode": "period_end"})
    assert await ids(renews="false") == [monthly["id"]]
    assert await ids(renews="true") == [yearly["id"]]
    page = await got(client, "/renewals", limit=1)
    assert await ids(limit=1, cursor=page["next_cursor"]) == [yearly["id"]]
