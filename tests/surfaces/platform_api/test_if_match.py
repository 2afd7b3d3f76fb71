"""Is a thing left alone that has changed since the caller looked?"""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.surfaces.platform_api.requests import ACCOUNT, PLAN, created

METER = {
    "code": "api_calls",
    "name": "API calls",
    "definition": {"event_type": "api_call", "aggregation": "count"},
}
PROMOTION = {"code": "SPRING", "name": "Spring", "kind": "percentage", "percent": "10"}
ENDPOINT = {"url": "https://hooks.example.com/billing", "event_types": ["*"]}
LINE = {"description": "Workshop", "quantity": "1", "unit_price": "100.00"}
POLICY = {"final_action": "cancel"}

# How a thing comes to be, how it is changed, and the code of the refusal.
CHANGES: dict[str, tuple[tuple[str, Any] | None, str, str, list[Any], str]] = {
    "plan": (
        ("/plans", PLAN),
        "/plans/team",
        "PATCH",
        [{"name": "First"}, {"name": "Second"}],
        "plan_stale",
    ),
    "feature": (
        ("/plans", PLAN),
        "/features/sso",
        "PATCH",
        [{"name": "First"}, {"name": "Second"}],
        "feature_stale",
    ),
    "meter": (
        ("/meters", METER),
        "/meters/api_calls",
        "PATCH",
        [{"name": "First"}, {"name": "Second"}],
        "meter_stale",
    ),
    "promotion": (
        ("/promotions", PROMOTION),
        "/promotions/SPRING",
        "PATCH",
        [{"name": "First"}, {"name": "Second"}],
        "promotion_stale",
    ),
    "series": (
        None,
        "/invoice-series/invoice",
        "PUT",
        [{"template": "A-{year}-{sequence}"}, {"template": "B-{year}-{sequence}"}],
        "series_stale",
    ),
    "dunning policy": (None, "/dunning-policy", "PUT", [{}, {}], "dunning_policy_stale"),
    "dunning policy of a plan": (
        ("/plans", PLAN),
        "/plans/team/dunning-policy",
        "PUT",
        [{}, {}],
        "dunning_policy_stale",
    ),
    "webhook endpoint": (
        ("/webhook-endpoints", ENDPOINT),
        "/webhook-endpoints/{id}",
        "PATCH",
        [{"description": "First"}, {"description": "Second"}],
        "webhook_endpoint_stale",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_the_second_of_two_who_saw_the_same_is_refused(client: httpx2.AsyncClient, what: str):
    made, path, method, (first_body, second_body), code = CHANGES[what]
    answer = await created(client, *made) if made else {}
    path = path.format(id=answer.get("id"))
    read = await client.get(path)
    seen = {"If-Match": read.headers["ETag"]}
    first = await client.request(method, path, json=first_body, headers=seen)
    assert first.status_code == 200, first.text
    assert first.headers["ETag"] not in {read.headers["ETag"], None}
    assert (await client.get(path)).headers["ETag"] == first.headers["ETag"]
    second = await client.request(method, path, json=second_body, headers=seen)
    assert (second.status_code, second.json()["code"]) == (412, code)
    third = await client.request(method, path, json=second_body, headers={"If-Match": "*"})
    assert third.status_code == 200, third.text


@pytest.mark.parametrize(
    ("made", "command", "code"),
    [
        (("/plans", PLAN), "/plans/team/archive", "plan_stale"),
        (("/meters", METER), "/meters/api_calls/archive", "meter_stale"),
        (("/promotions", PROMOTION), "/promotions/SPRING/archive", "promotion_stale"),
    ],
)
async def test_what_has_changed_is_not_put_away(client: httpx2.AsyncClient, made, command, code):
    await created(client, *made)
    refused = await client.post(command, headers={"If-Match": '"7"'})
    assert (refused.status_code, refused.json()["code"]) == (412, code)
    archived = await client.post(command, headers={"If-Match": '"1"'})
    assert (archived.status_code, archived.headers["ETag"]) == (200, '"2"')
    again = await client.post(command)
    assert again.headers["ETag"] == '"2"'


async def test_a_new_version_of_a_plan_is_a_change_of_the_plan(client: httpx2.AsyncClient):
    await created(client, "/plans", PLAN)
    seen = {"If-Match": (await client.get("/plans/team")).headers["ETag"]}
    version = {name: PLAN[name] for name in ("name", "interval", "components", "features")}
    await created(client, "/plans/team/versions", version)
    refused = await client.patch("/plans/team", json={"name": "Other"}, headers=seen)
    assert (refused.status_code, refused.json()["code"]) == (412, "plan_stale")
    assert refused.json()["facts"]["actual"] == 2


async def test_a_draft_that_somebody_changed_is_neither_finalized_nor_deleted(client):
    account = await created(client, "/accounts", ACCOUNT)
    draft = await created(client, "/invoices", {"account_id": account["id"], "lines": [LINE]})
    path = f"/invoices/{draft['id']}"
    seen = {"If-Match": (await client.get(path)).headers["ETag"]}
    await client.patch(path, json={"note": "Thank you"}, headers=seen)
    for refused in (
        await client.post(f"{path}/finalize", headers=seen),
        await client.delete(path, headers=seen),
    ):
        assert (refused.status_code, refused.json()["code"]) == (412, "invoice_stale")
    now = {"If-Match": (await client.get(path)).headers["ETag"]}
    assert (await client.delete(path, headers=now)).status_code == 204


async def test_a_policy_that_was_never_set_has_a_version_too(client: httpx2.AsyncClient):
    await created(client, "/plans", PLAN)
    path = "/plans/team/dunning-policy"
    assert (await client.get(path)).headers["ETag"] == '"0"'
    unset = {"If-Match": '"0"'}
    assert (await client.put(path, json={}, headers=unset)).headers["ETag"] == '"1"'
    assert (await client.delete(path, headers=unset)).status_code == 412
    assert (await client.delete(path, headers={"If-Match": '"1"'})).status_code == 204
    # The seller's own, which holds now, is another thing with versions of its own.
    await client.put("/dunning-policy", json={})
    assert (await client.get(path)).headers["ETag"] == '"0"'
