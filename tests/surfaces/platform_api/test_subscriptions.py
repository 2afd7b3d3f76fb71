"""Does a decision about a subscription rest on what its maker has seen?"""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.conftest import Tenant
from tests.surfaces.platform_api.requests import got, rows_of, standing, subscribed


async def cancel(
    client: httpx2.AsyncClient, subscription: dict[str, Any], mode: str = "now", **headers: str
) -> httpx2.Response:
    return await client.post(
        f"/subscriptions/{subscription['id']}/cancel", json={"mode": mode}, headers=headers
    )


async def test_the_etag_is_the_version(client: httpx2.AsyncClient):
    subscription = await subscribed(client)
    response = await client.get(f"/subscriptions/{subscription['id']}")
    assert (response.headers["ETag"], response.json()["version"]) == ('"1"', 1)
    scheduled = await cancel(client, subscription, "period_end")
    assert (scheduled.headers["ETag"], scheduled.json()["version"]) == ('"2"', 2)


async def test_a_subscription_that_has_changed_is_left_alone(
    client: httpx2.AsyncClient, tenant: Tenant
):
    subscription = await subscribed(client)
    await cancel(client, subscription, "period_end")
    before = await rows_of(tenant)
    response = await cancel(client, subscription, **{"If-Match": '"1"'})
    assert (response.status_code, response.json()["code"]) == (412, "version_stale")
    assert response.json()["facts"] == {"expected": 1, "actual": 2}
    assert await rows_of(tenant) == before

    assert (await cancel(client, subscription, **{"If-Match": '"2"'})).status_code == 200


async def test_any_version_may_be_meant(client: httpx2.AsyncClient):
    response = await cancel(client, await subscribed(client), **{"If-Match": "*"})
    assert response.status_code == 200


@pytest.mark.parametrize("etag", ["1", 'W/"1"', '"1", "2"', '"x"', ""])
async def test_an_etag_that_was_never_given_is_refused(client: httpx2.AsyncClient, etag: str):
    response = await cancel(client, await subscribed(client), **{"If-Match": etag})
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert (error["in"], error["parameter"]) == ("header", "if-match")


async def test_a_scheduled_end_is_shown_and_may_be_brought_forward(client: httpx2.AsyncClient):
    subscription = await subscribed(client)
    scheduled = (await cancel(client, subscription, "period_end")).json()
    assert (scheduled["state"], scheduled["cancellation"]["at"]) == (
        "active",
        "2026-02-15T12:00:00Z",
    )
    ended = (await cancel(client, subscription)).json()
    assert (ended["state"], ended["cancellation"]["at"]) == ("canceled", "2026-01-15T12:00:00Z")


async def test_what_has_ended_cannot_be_canceled(client: httpx2.AsyncClient, tenant: Tenant):
    subscription = await subscribed(client)
    await cancel(client, subscription)
    before = await rows_of(tenant)
    for mode in ["now", "period_end"]:
        response = await cancel(client, subscription, mode)
        assert (response.status_code, response.json()["code"]) == (409, "state_forbids")
    assert await rows_of(tenant) == before


async def test_created_and_read_are_the_same(client: httpx2.AsyncClient):
    """A quantity is stored with six places; it is shown as it was given."""
    subscription = await subscribed(
        client, quantities={"seats": "2.50"}, external_id="one", metadata={"order": "17"}
    )
    assert len(subscription["documents"]) == 1
    assert subscription["items"][1] == {"component": "seats", "quantity": "2.5", "price": None}
    stands = standing(subscription)
    assert await got(client, f"/subscriptions/{subscription['id']}") == stands
    assert (await got(client, "/subscriptions"))["data"] == [stands]
