"""Can a platform follow what happens, have its systems told, and see what became of it?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from billwright.features.webhooks.operations.endpoint_secrets import opened_secret
from billwright.features.webhooks.sql.reads import endpoint_by_id
from billwright.kernel.id_bounds import made_at
from tests.conftest import BOX, Tenant
from tests.features.webhooks.listening import ScriptedSender, answered, dispatch, happen, read_log
from tests.surfaces.platform_api.requests import created, got

ENDPOINT: dict[str, Any] = {
    "url": "https://platform.example.com/billing-events",
    "description": "Access and bookkeeping",
    "event_types": ["plan.archived"],
}
PATH = "/webhook-endpoints"


async def posted(client: httpx2.AsyncClient, path: str, status: int, **more: Any) -> Any:
    response = await client.post(path, **more)
    assert response.status_code == status, response.text
    return response.json() if response.content else None


def without_secret(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "secret"}


async def test_the_secret_is_shown_once_and_stored_nowhere(
    client: httpx2.AsyncClient, tenant: Tenant
):
    key = {"Idempotency-Key": "endpoint-1"}
    endpoint = await posted(client, PATH, 201, json=ENDPOINT, headers=key)
    repeated = await posted(client, PATH, 201, json=ENDPOINT, headers=key)
    assert repeated == endpoint
    assert {name: endpoint[name] for name in ENDPOINT} == ENDPOINT
    assert (endpoint["api_version"], endpoint["status"]) == ("v1", "enabled")
    assert endpoint["secret"].startswith("whsec_")
    own = f"{PATH}/{endpoint['id']}"
    assert await got(client, own) == without_secret(endpoint)
    assert (await got(client, PATH))["data"] == [without_secret(endpoint)]
    rotated = await posted(client, f"{own}/rotate-secret", 200)
    assert rotated["secret"] != endpoint["secret"]
    assert rotated["former_secret_until"] == "2026-01-16T12:00:00Z"
    async with tenant.tx() as tx:
        stored = await endpoint_by_id(tx, endpoint["id"])
        everything = await tx.fetch_value(
            """select string_agg(t, ' ') from (
                   select e::text from webhook_endpoint e union all
                   select encode(response_body, 'escape') from idempotency_key
                   union all select a::text from audit_entry a) as all_rows (t)"""
        )
    assert opened_secret(stored, tenant_id=tenant.id, box=BOX) == rotated["secret"]
    for secret in (endpoint["secret"], rotated["secret"]):
        assert secret not in everything
        assert secret.removeprefix("whsec_") not in everything


async def test_endpoints_change(client: httpx2.AsyncClient):
    endpoint = without_secret(await created(client, PATH, ENDPOINT))
    own = f"{PATH}/{endpoint['id']}"
    response = await client.patch(own, json={"event_types": ["*", "invoice.paid"]})
    assert response.status_code == 200, response.text
    assert response.json() == {**endpoint, "event_types": ["*"], "version": 2}
    disabled = await posted(client, f"{own}/disable", 200)
    assert (disabled["status"], disabled["disabled_reason"]) == ("disabled", "requested")
    enabled = await posted(client, f"{own}/enable", 200)
    assert (enabled["status"], enabled["disabled_at"]) == ("enabled", None)
    assert (await client.delete(own)).status_code == 204
    assert (await client.get(own)).status_code == 404
    assert (await got(client, PATH))["data"] == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"url": "http://platform.example.com/"}, "webhook_url_invalid"),
        ({"url": "https://127.0.0.1/"}, "webhook_address_private"),
        ({"event_types": ["invoice.eaten"]}, "webhook_event_type_unknown"),
    ],
)
async def test_what_is_no_endpoint(client: httpx2.AsyncClient, changes: dict[str, Any], code: str):
    problem = await posted(client, PATH, 422, json=ENDPOINT | changes)
    assert problem["code"] == code


async def test_what_was_sent_is_shown_and_sent_again(client: httpx2.AsyncClient, tenant: Tenant):
    endpoint = await created(client, PATH, ENDPOINT)
    own = f"{PATH}/{endpoint['id']}"
    await happen(tenant, "team")
    await dispatch(tenant, ScriptedSender([answered(500, text="out of order")]))
    [delivery] = (await got(client, f"{own}/deliveries", state="pending"))["data"]
    assert (delivery["event_type"], delivery["attempts"]) == ("plan.archived", 1)
    assert (await got(client, f"{own}/deliveries", state="failed"))["data"] == []
    event = await got(client, f"/events/{delivery['event_id']}")
    assert (event["sequence"], event["data"]["code"]) == (delivery["sequence"], "team")

    again = f"{own}/deliveries/{event['id']}/replay"
    assert await posted(client, again, 202) is None
    sender = ScriptedSender()
    await dispatch(tenant, sender)
    [body] = sender.bodies
    assert body["data"] == event
    for path in (f"{own}/attempts", f"/events/{event['id']}/webhook-attempts"):
        attempts = (await got(client, path))["data"]
        assert [(one["status"], one["answer"]) for one in attempts] == [
            (204, ""),
            (500, "out of order"),
        ]

    test = await posted(client, f"{own}/test", 202)
    await dispatch(tenant, sender)
    assert sender.sent[-1].id == test["event_id"]


async def test_a_replay_is_asked_for(client: httpx2.AsyncClient, tenant: Tenant, clock):
    endpoint = await created(client, PATH, ENDPOINT)
    await happen(tenant, "team")
    await dispatch(tenant, ScriptedSender())
    [*_, event] = (await read_log(tenant)).events
    clock.move_to(made_at(event.id) + timedelta(minutes=1))
    since = made_at(event.id).isoformat()
    body = {"since": since, "scope": "everything"}
    replaying = await posted(client, f"{PATH}/{endpoint['id']}/replay", 202, json=body)
    assert replaying["is_replaying"]
    sender = ScriptedSender()
    await dispatch(tenant, sender)
    assert sender.names == ["team"]
    assert not (await got(client, f"{PATH}/{endpoint['id']}"))["is_replaying"]


async def test_the_log_is_followed_by_its_cursor(client: httpx2.AsyncClient, tenant: Tenant):
    await happen(tenant, "a", "b", "c")
    first = await got(client, "/events", limit=2, type="plan.archived")
    assert [event["data"]["code"] for event in first["data"]] == ["a", "b"]
    assert first["has_more"]
    rest = await got(client, "/events", limit=2, type="plan.archived", cursor=first["next_cursor"])
    assert ([event["data"]["code"] for event in rest["data"]], rest["has_more"]) == (["c"], False)
    await happen(tenant, "d")
    later = await got(client, "/events", limit=2, type="plan.archived", cursor=rest["next_cursor"])
    assert [event["data"]["code"] for event in later["data"]] == ["d"]
    one = later["data"][0]
    assert (await got(client, "/events", subject_id=one["subject_id"]))["data"] == [one]
    assert (await got(client, "/events", since=one["recorded_at"]))["data"][-1] == one
    wrong = await client.get("/events", params={"cursor": first["next_cursor"]})
    assert wrong.json()["code"] == "cursor_invalid"


async def test_types_of_events_are_listed(client: httpx2.AsyncClient):
    response = await client.get("/event-types")
    types = {one["type"]: one for one in response.json()}
    assert types["plan.archived"]["subject_type"] == "plan"
    assert types["plan.archived"]["description"].startswith("It is no longer sold")


async def test_another_tenant_sees_nothing(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient, tenant: Tenant
):
    endpoint = await created(client, PATH, ENDPOINT)
    own = f"{PATH}/{endpoint['id']}"
    await happen(tenant, "team")
    [event] = (await got(client, "/events", type="plan.archived"))["data"]
    assert (await got(other_client, PATH))["data"] == []
    assert (await got(other_client, "/events", type="plan.archived"))["data"] == []
    for path in (own, f"{own}/deliveries", f"{own}/attempts", f"/events/{event['id']}"):
        assert (await other_client.get(path)).status_code == 404
    for action in ("test", "enable", "disable", "rotate-secret"):
        assert (await other_client.post(f"{own}/{action}")).status_code == 404
