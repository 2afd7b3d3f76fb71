"""Does every change happen once, for its own tenant alone?"""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from tests.conftest import Tenant
from tests.surfaces.platform_api.requests import (
    ACCOUNT,
    PLAN,
    TEST_CLOCK,
    created,
    got,
    invoice_ids_of,
    rows_of,
    subscribed,
)

WRITES = ["plans", "accounts", "subscriptions", "cancel", "payments", "test-clocks", "advance"]


async def prepared(client: httpx2.AsyncClient, write: str) -> tuple[str, dict[str, Any]]:
    """A change that the client may make: its path and its body."""
    path, body = "/" + write, {"plans": PLAN, "accounts": ACCOUNT, "test-clocks": TEST_CLOCK}
    match write:
        case "subscriptions":
            await created(client, "/plans", PLAN)
            account = await created(client, "/accounts", ACCOUNT)
            return path, {"account_id": account["id"], "plan_code": "team"}
        case "cancel":
            subscription = await subscribed(client)
            return f"/subscriptions/{subscription['id']}/cancel", {"mode": "now"}
        case "payments":
            (invoice_id,) = invoice_ids_of(await subscribed(client))
            amount = {"amount": "10.00", "currency": "EUR"}
            return path, {"invoice_id": invoice_id, "amount": amount}
        case "advance":
            clock = await created(client, "/test-clocks", TEST_CLOCK)
            return f"/test-clocks/{clock['id']}/advance", {"to": "2026-03-01T00:00:00Z"}
        case _:
            return path, body[write]


@pytest.mark.parametrize("write", WRITES)
async def test_the_same_key_changes_nothing(client: httpx2.AsyncClient, tenant: Tenant, write: str):
    path, body = await prepared(client, write)
    key = {"Idempotency-Key": "the first"}
    first = await client.post(path, json=body, headers=key)
    assert first.is_success, first.text
    after_first = await rows_of(tenant)

    again = await client.post(path, json=body, headers=key)
    assert await rows_of(tenant) == after_first
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers.get("ETag") == first.headers.get("ETag")

    other = await client.post(path, json={**body, "nonsense": 1}, headers=key)
    assert other.status_code == 422
    assert await rows_of(tenant) == after_first


@pytest.mark.parametrize("write", WRITES)
async def test_a_key_stands_for_one_request(client: httpx2.AsyncClient, tenant: Tenant, write: str):
    key = {"Idempotency-Key": "the first"}
    path, body = await prepared(client, write)
    await client.post("/accounts", json={"name": "Somebody Else"}, headers=key)
    before = await rows_of(tenant)
    response = await client.post(path, json=body, headers=key)
    assert (response.status_code, response.json()["code"]) == (409, "idempotency_key_reused")
    assert await rows_of(tenant) == before


@pytest.mark.parametrize("write", ["accounts", "payments", "subscriptions"])
async def test_repetitions_that_come_together_change_one_thing(
    client: httpx2.AsyncClient, tenant: Tenant, write: str
):
    path, body = await prepared(client, write)
    key = {"Idempotency-Key": "together"}
    responses = await asyncio.gather(*(client.post(path, json=body, headers=key) for _ in range(4)))
    assert {response.status_code for response in responses} == {201}
    assert len({response.json()["id"] for response in responses}) == 1
    assert (await rows_of(tenant))[write.removesuffix("s")] == 1


@pytest.mark.parametrize("write", WRITES)
async def test_another_tenant_sees_nothing_of_it(
    client: httpx2.AsyncClient,
    other_client: httpx2.AsyncClient,
    other_tenant: Tenant,
    write: str,
):
    path, body = await prepared(client, write)
    made = (await client.post(path, json=body)).json()
    resource = "/" + path.split("/")[1]
    before = await rows_of(other_tenant)

    name = made["code"] if write == "plans" else made["id"]
    assert (await got(client, f"{resource}/{name}"))["id"] == made["id"]
    assert (await other_client.get(f"{resource}/{name}")).status_code == 404
    assert (await got(other_client, resource))["data"] == []
    assert (await got(client, resource))["data"] != []
    if write in {"cancel", "advance"}:
        assert (await other_client.post(path, json=body)).status_code == 404
    if write in {"subscriptions", "payments"}:
        response = await other_client.post(path, json=body)
        assert response.status_code == 422
        assert response.json()["errors"][0]["code"].endswith("_unknown_here")
    assert await rows_of(other_tenant) == before


async def test_keys_of_two_tenants_do_not_meet(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient
):
    key = {"Idempotency-Key": "the first"}
    mine = await client.post("/accounts", json=ACCOUNT, headers=key)
    theirs = await other_client.post("/accounts", json=ACCOUNT, headers=key)
    assert mine.status_code == theirs.status_code == 201
    assert mine.json()["id"] != theirs.json()["id"]
