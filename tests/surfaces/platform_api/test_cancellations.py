"""Can a platform see who has canceled and why, and take it back?"""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.surfaces.platform_api.requests import created, got, subscribed


async def canceled(
    client: httpx2.AsyncClient, subscription: dict[str, Any], **body: Any
) -> dict[str, Any]:
    """The cancellation that comes of a request."""
    path = f"/subscriptions/{subscription['id']}/cancel"
    response = await client.post(path, json={"mode": "period_end", **body})
    assert response.status_code == 200, response.text
    listed = await got(client, "/cancellations", subscription_id=subscription["id"])
    [newest] = [one for one in listed["data"] if one["state"] != "undone"]
    return newest


async def test_canceled_undone_and_canceled_again(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient
):
    subscription = await subscribed(client)
    first = await canceled(client, subscription, feedback="too_expensive", comment="Dear me.")
    assert (first["state"], first["mode"], first["reason"]) == (
        "pending",
        "period_end",
        "requested",
    )
    assert first["cancel_at"] == subscription["period"]["end"]
    assert first["actor"]["name"] == "platform"
    path = f"/cancellations/{first['id']}"
    assert await got(client, path) == first
    for ask in (other_client.get(path), other_client.post(f"{path}/undo")):
        foreign = await ask
        assert (foreign.status_code, foreign.json()["code"]) == (404, "cancellation_unknown")

    headers = {"Idempotency-Key": "once"}
    undone = await client.post(f"{path}/undo", headers=headers)
    assert (undone.status_code, undone.json()["state"]) == (200, "undone")
    again = await client.post(f"{path}/undo", headers=headers)
    assert (again.headers["Idempotent-Replayed"], again.json()) == ("true", undone.json())
    late = await client.post(f"{path}/undo")
    assert (late.status_code, late.json()["code"]) == (409, "nothing_pending")
    assert (await got(client, f"/subscriptions/{subscription['id']}"))["cancellation"] is None

    second = await canceled(client, subscription, mode="now", feedback="unused")
    assert second["id"] != first["id"]
    assert (second["state"], second["effective_at"]) == ("effective", "2026-01-15T12:00:00Z")
    report = await got(client, "/cancellations/report", since="2026-01-01", until="2026-07-01")
    assert [report[name] for name in ("requested", "pending", "effective", "undone")] == [
        2,
        0,
        1,
        1,
    ]
    assert [
        (row["month"], row["plan_code"], row["reason"], row["feedback"], row["requested"])
        for row in report["rows"]
    ] == [
        ("2026-01-01", "team", "requested", "too_expensive", 1),
        ("2026-01-01", "team", "requested", "unused", 1),
    ]
    assert (
        await got(other_client, "/cancellations/report", since="2026-01-01", until="2026-07-01")
    )["rows"] == []


async def test_they_are_listed_by_what_users_ask_for(client: httpx2.AsyncClient):
    subscription = await subscribed(client)
    body = {"account_id": subscription["account_id"], "plan_code": "team"}
    other = await created(client, "/subscriptions", body)
    pending = await canceled(client, subscription, feedback="unused")
    effective = await canceled(client, other, mode="now")

    async def ids(**filters: Any) -> set[str]:
        return {one["id"] for one in (await got(client, "/cancellations", **filters))["data"]}

    both = {pending["id"], effective["id"]}
    assert await ids(account_id=subscription["account_id"], plan_code="team") == both
    assert await ids(state="pending") == await ids(feedback="unused") == {pending["id"]}
    assert await ids(state="effective") == {effective["id"]}
    assert await ids(requested_after="2026-01-15T12:00:00Z", reason="requested") == both
    assert await ids(requested_before="2026-01-15T12:00:00Z") == await ids(reason="admin") == set()
    page = await got(client, "/cancellations", limit=1)
    assert page["has_more"]
    rest = await got(client, "/cancellations", limit=1, cursor=page["next_cursor"])
    assert {page["data"][0]["id"], rest["data"][0]["id"]} == both


@pytest.mark.parametrize("until", ["2028-01-02", "2026-01-01", "soon"])
async def test_a_report_is_bounded(client: httpx2.AsyncClient, until: str):
    parameters = {"since": "2026-01-01", "until": until}
    assert (await client.get("/cancellations/report", params=parameters)).status_code == 422
