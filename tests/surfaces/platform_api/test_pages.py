"""Are lists read whole, in order and for the filters they were asked for?"""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.surfaces.platform_api.requests import (
    ACCOUNT,
    PLAN,
    TEST_CLOCK,
    created,
    got,
    invoice_ids_of,
    plan_with,
    subscribed,
)

RESOURCES = ["accounts", "plans", "subscriptions", "invoices", "payments", "test-clocks"]


async def walked(client: httpx2.AsyncClient, path: str, **filters: Any) -> list[list[str]]:
    """The ids on each page of two."""
    pages = []
    page = await got(client, path, limit=2, **filters)
    while True:
        pages.append([row["id"] for row in page["data"]])
        assert page["has_more"] == (page["next_cursor"] is not None)
        if not page["has_more"]:
            return pages
        page = await got(client, path, limit=2, cursor=page["next_cursor"], **filters)


async def five(client: httpx2.AsyncClient, resource: str) -> list[str]:
    """Five new things' ids."""
    if resource == "plans":
        plans = [plan_with("code", to=f"plan-{number}") for number in range(5)]
        return [(await created(client, "/plans", plan))["id"] for plan in plans]
    if resource == "accounts":
        return [(await created(client, "/accounts", ACCOUNT))["id"] for _ in range(5)]
    if resource == "test-clocks":
        return [(await created(client, "/test-clocks", TEST_CLOCK))["id"] for _ in range(5)]
    await created(client, "/plans", PLAN)
    account = await created(client, "/accounts", ACCOUNT)
    body = {"account_id": account["id"], "plan_code": "team"}
    subscriptions = [await created(client, "/subscriptions", body) for _ in range(5)]
    if resource == "subscriptions":
        return [one["id"] for one in subscriptions]
    invoices = [invoice_ids_of(one)[0] for one in subscriptions]
    if resource == "invoices":
        return invoices
    amount = {"amount": "1.00", "currency": "EUR"}
    return [
        (await created(client, "/payments", {"invoice_id": invoice, "amount": amount}))["id"]
        for invoice in invoices
    ]


@pytest.mark.parametrize("resource", RESOURCES)
async def test_a_list_is_walked_newest_first(client: httpx2.AsyncClient, resource: str):
    ids = await five(client, resource)
    pages = await walked(client, f"/{resource}")
    assert pages == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]


async def test_what_is_added_meanwhile_moves_nothing(client: httpx2.AsyncClient):
    ids = await five(client, "accounts")
    first = await got(client, "/accounts", limit=2)
    await created(client, "/accounts", ACCOUNT)
    second = await got(client, "/accounts", limit=2, cursor=first["next_cursor"])
    assert [row["id"] for row in second["data"]] == [ids[2], ids[1]]


async def test_a_cursor_belongs_to_its_list_and_filters(client: httpx2.AsyncClient):
    await five(client, "accounts")
    cursor = (await got(client, "/accounts", limit=2))["next_cursor"]
    for path in ["/plans?", "/accounts?email=billing@riverbank.example&"]:
        response = await client.get(f"{path}cursor={cursor}")
        assert (response.status_code, response.json()["code"]) == (422, "cursor_invalid")


async def test_lists_are_filtered(client: httpx2.AsyncClient):
    one = await subscribed(client)
    account = await created(client, "/accounts", {"name": "Second", "email": "b@second.example"})
    two = await created(
        client, "/subscriptions", {"account_id": account["id"], "plan_code": "team"}
    )
    await client.post(f"/subscriptions/{one['id']}/cancel", json={"mode": "now"})
    amount = {"amount": "1.00", "currency": "EUR"}
    payment = await created(
        client, "/payments", {"invoice_id": invoice_ids_of(two)[0], "amount": amount}
    )

    async def ids(path: str, **filters: Any) -> list[str]:
        return [row["id"] for row in (await got(client, path, **filters))["data"]]

    assert await ids("/accounts", email="b@second.example") == [account["id"]]
    assert await ids("/subscriptions", account_id=one["account_id"]) == [one["id"]]
    assert await ids("/subscriptions", state="active") == [two["id"]]
    assert await ids("/invoices", subscription_id=one["id"]) == invoice_ids_of(one)
    assert await ids("/invoices", account_id=account["id"]) == invoice_ids_of(two)
    assert await ids("/invoices", state="partially_paid") == invoice_ids_of(two)
    assert await ids("/invoices", state="paid") == []
    assert await ids("/payments", invoice_id=invoice_ids_of(two)[0]) == [payment["id"]]
    assert await ids("/payments", account_id=one["account_id"]) == []
    assert await ids("/payments", state="succeeded") == [payment["id"]]
