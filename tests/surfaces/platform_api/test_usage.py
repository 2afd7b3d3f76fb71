"""Can a platform tell, correct and see what its customers use?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from tests.conftest import NOON, Tenant
from tests.surfaces.platform_api.conftest import client_of, key_of
from tests.surfaces.platform_api.requests import (
    ACCOUNT,
    created,
    got,
    invoice_ids_of,
    rows_of,
    subscribed,
)

PLAN: dict[str, Any] = {
    "code": "api",
    "name": "API",
    "interval": {"unit": "month"},
    "components": [
        {
            "code": "tokens",
            "name": "Tokens",
            "kind": "usage",
            "meter": "tokens",
            "unit_name": "token",
            "free_units": "1",
            "prices": [{"model": "per_unit", "currency": "EUR", "price": "0.10"}],
        }
    ],
    "features": [{"code": "tokens", "name": "Tokens", "kind": "metered", "value": "10"}],
}
METER: dict[str, Any] = {
    "code": "tokens",
    "name": "Tokens",
    "definition": {
        "event_type": "completion",
        "property": "tokens",
        "filters": {"region": ["eu"]},
        "group_by": ["model"],
        "rounding": "ceil",
    },
}


def event(event_id: str, of: dict[str, Any], **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "id": event_id,
        "type": "completion",
        "time": "2026-01-15T12:30:00Z",
        "subscription_id": of["id"],
    }
    return {**values, **changes}


async def post(client: httpx2.AsyncClient, *events: dict[str, Any], **headers: str) -> Any:
    return await client.post("/usage", json={"events": list(events)}, headers=headers)


async def a_subscriber(client: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    """With a subscription whose external id is `sub-1`, of the account `crm-1`."""
    await created(client, "/plans", PLAN)
    account = await created(client, "/accounts", {**ACCOUNT, "external_id": "crm-1"})
    body = {"account_id": account["id"], "plan_code": "api", "external_id": "sub-1"}
    return await created(client, "/subscriptions", {**body, **changes})


def tokens(event_id: str, of: dict[str, Any], count: str, model: str = "small") -> dict[str, Any]:
    properties = {"tokens": count, "region": "eu", "model": model}
    return event(event_id, of, properties=properties)


async def test_what_is_told_is_seen_against_limits_and_billed(client: httpx2.AsyncClient, clock):
    await created(client, "/meters", METER)
    subscription = await a_subscriber(client)
    answer = await post(
        client,
        tokens("a", subscription, "1.2"),
        tokens("b", subscription, "2", model="large"),
        event("c", subscription, properties={"tokens": 99, "region": "us"}),
    )
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "recorded": 3,
        "repeated": 0,
        "events": [{"source": "api", "id": one, "status": "recorded"} for one in "abc"],
    }
    usage = await got(client, f"/subscriptions/{subscription['id']}/usage")
    (component,) = usage["components"]
    # 1.2 + 2 in whole units: 4; the event of another region does not count.
    assert (component["quantity"], component["events"], component["free_units"]) == ("4", 2, "1")
    assert component["groups"] == [
        {"values": ["large"], "quantity": "2", "events": 1},
        {"values": ["small"], "quantity": "1.2", "events": 1},
    ]
    assert (component["meter"], component["meter_version"]) == ("tokens", 1)
    ends = "2026-02-15T12:00:00Z"
    assert usage["limits"] == [
        {
            "feature": "tokens",
            "name": "Tokens",
            "limit": "10",
            "used": "4",
            "remaining": "6",
            "resets_at": ends,
        }
    ]
    assert (usage["period_start"], usage["period_end"]) == ("2026-01-15T12:00:00Z", ends)
    before = await got(client, f"/subscriptions/{subscription['id']}/billed-usage")
    assert before["data"] == []

    clock.move_to(NOON + timedelta(days=1))
    ended = await client.post(f"/subscriptions/{subscription['id']}/cancel", json={"mode": "now"})
    assert ended.is_success
    page = await got(client, f"/subscriptions/{subscription['id']}/billed-usage")
    (billed,) = page["data"]
    # Of the free unit, one day of 31 is a 31st: 4 - 0.032258 = 3.967742, at 0.10.
    assert (billed["quantity"], billed["amount"]["amount"]) == ("4", "0.40")
    assert (billed["digest"], billed["meter_version"]) == (component["digest"], 1)
    (invoice_id,) = invoice_ids_of(ended.json())
    (line,) = (await got(client, f"/invoices/{invoice_id}/lines"))["data"]
    assert line["explanation"]["usage"] == {
        "meter": "tokens",
        "meter_version": 1,
        "cutoff": billed["cutoff"],
        "events": 2,
        "digest": billed["digest"],
    }


async def test_a_repetition_is_told_apart_from_another_event(
    client: httpx2.AsyncClient, tenant: Tenant
):
    subscription = await a_subscriber(client)
    one, two = event("1", subscription), event("2", subscription, quantity="2.50")
    assert (await post(client, one, two, one)).json()["recorded"] == 2
    before = await rows_of(tenant)
    again = await post(
        client, two, {**one, "quantity": "1.000", "time": "2026-01-15T13:30:00+01:00"}
    )
    assert [each["status"] for each in again.json()["events"]] == ["repeated", "repeated"]
    other = await post(client, event("3", subscription), {**one, "quantity": "2"})
    assert (other.status_code, other.json()["code"]) == (409, "usage_event_differs")
    assert other.json()["facts"] == {"source": "api", "event_id": "1"}
    assert await rows_of(tenant) == before


async def test_a_key_replays_the_answer(client: httpx2.AsyncClient, tenant: Tenant):
    subscription = await a_subscriber(client)
    key = {"Idempotency-Key": "batch 1"}
    first = await post(client, event("1", subscription), **key)
    before = await rows_of(tenant)
    again = await post(client, event("1", subscription), **key)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert await rows_of(tenant) == before
    other = await post(client, event("2", subscription), **key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


async def test_usage_is_of_a_subscription_however_it_is_named(
    client: httpx2.AsyncClient, tenant: Tenant
):
    subscription = await a_subscriber(client)
    named = [
        {"subscription_id": subscription["id"]},
        {"subscription_id": subscription["id"].upper()},
        {"account_id": subscription["account_id"]},
        {"subject": "sub-1"},
        {"subject": "crm-1"},
    ]
    plain = event("", subscription)
    del plain["subscription_id"]
    answer = await post(client, *({**plain, "id": str(n), **each} for n, each in enumerate(named)))
    assert answer.json()["recorded"] == 5, answer.text
    async with tenant.tx() as tx:
        found = await tx.fetch("select distinct subscription_id from usage_event")
    assert [str(row["subscription_id"]) for row in found] == [subscription["id"]]

    unknown = await post(client, {**plain, "id": "x", "subject": "nobody"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "usage_subject_unknown")
    assert unknown.json()["errors"][0]["pointer"] == "/events/0/subject"
    body = {"account_id": subscription["account_id"], "plan_code": "api"}
    await created(client, "/subscriptions", body)
    several = await post(
        client, {**plain, "id": "y", **named[0]}, {**plain, "id": "z", "subject": "crm-1"}
    )
    assert several.json()["code"] == "usage_subject_ambiguous"
    assert several.json()["errors"][0]["pointer"] == "/events/1/subject"


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"id": ""}, "/events/1/id", "too_short"),
        ({"id": "a\x00"}, "/events/1/id", "control_character"),
        ({"properties": {"a": "\n"}}, "/events/1/properties/a", "control_character"),
        ({"properties": {"a b": "c"}}, "/events/1/properties", "malformed"),
        ({"id": 7}, "/events/1/id", "wrong_type"),
        ({"type": "no spaces"}, "/events/1/type", "malformed"),
        ({"time": "2026-01-15T12:30:00"}, "/events/1/time", "malformed"),
        ({"time": "1969-12-31T23:59:59Z"}, "/events/1/time", "out_of_range"),
        ({"quantity": 3}, "/events/1/quantity", "wrong_type"),
        ({"quantity": "1e3"}, "/events/1/quantity", "malformed"),
        ({"quantity": "0.1234567"}, "/events/1/quantity", "malformed"),
        ({"properties": {"a": 0.5}}, "/events/1/properties", "wrong_type"),
        ({"properties": {"a": {"b": 1}}}, "/events/1/properties", "wrong_type"),
        ({"properties": {str(n): 1 for n in range(21)}}, "/events/1/properties", "too_long"),
        ({"subject": "sub-1"}, "/events/1", "unknown_field"),
        ({"subscription_id": None}, "/events/1", "required"),
        ({"subscription_id": "none"}, "/events/1/subscription_id", "malformed"),
        ({"nonsense": 1}, "/events/1/nonsense", "unknown_field"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_recorded(
    client: httpx2.AsyncClient, tenant: Tenant, changes: Any, pointer: str, code: str
):
    subscription = await a_subscriber(client)
    before = await rows_of(tenant)
    answer = await post(client, event("fine", subscription), event("not", subscription, **changes))
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)
    assert await rows_of(tenant) == before


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"events":[]}', b'{"events":[{"id":"\\ud800"}]}', b"{"]
)
async def test_a_body_that_is_no_batch_is_refused(client: httpx2.AsyncClient, body: bytes):
    answer = await client.post("/usage", content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")


async def test_a_thousand_events_are_one_request(client: httpx2.AsyncClient):
    subscription = await a_subscriber(client)
    events = [event(str(number), subscription) for number in range(1001)]
    assert (await post(client, *events)).json()["errors"][0]["pointer"] == "/events"
    assert (await post(client, *events[1:])).json()["recorded"] == 1000


async def test_corrections_are_events(client: httpx2.AsyncClient, tenant: Tenant):
    subscription = await a_subscriber(client)
    await post(client, *(event(str(n), subscription, type="tokens") for n in range(3)))
    mend = {"id": "m", "action": "replace", "corrects": {"id": "0"}, "quantity": "5"}
    cancel = {"id": "n", "action": "cancel", "corrects": {"id": "1"}}
    for status in ("recorded", "repeated"):
        answer = await client.post("/usage/corrections", json={"corrections": [mend, cancel]})
        assert answer.status_code == 200, answer.text
        assert {one["status"] for one in answer.json()["corrections"]} == {status}
    usage = await got(client, f"/subscriptions/{subscription['id']}/usage")
    assert (usage["components"][0]["quantity"], usage["components"][0]["events"]) == ("6", 2)

    before = await rows_of(tenant)
    for changes, status, code in [
        ({"id": "o"}, 409, "usage_event_corrected"),
        ({"id": "o", "corrects": {"id": "n"}}, 409, "usage_cancellation_final"),
        ({"id": "o", "corrects": {"id": "none"}}, 422, "usage_event_unknown"),
        ({"quantity": "7"}, 409, "usage_event_differs"),
        ({"id": "o", "action": "cancel"}, 422, "request_invalid"),
    ]:
        answer = await client.post(
            "/usage/corrections", json={"corrections": [{**mend, **changes}]}
        )
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert await rows_of(tenant) == before


async def test_meters_are_defined_changed_and_archived(client: httpx2.AsyncClient):
    meter = await created(client, "/meters", METER)
    assert meter["version"]["number"] == 1
    assert await got(client, "/meters/tokens") == meter
    taken = await client.post("/meters", json=METER)
    assert (taken.status_code, taken.json()["code"]) == (409, "meter_code_taken")
    unfit = {**METER, "code": "x", "definition": {"event_type": "x", "aggregation": "unique_count"}}
    answer = await client.post("/meters", json=unfit)
    assert answer.json()["errors"][0]["pointer"] == "/definition/property"

    renamed = (await client.patch("/meters/tokens", json={"name": "All tokens"})).json()
    assert (renamed["name"], renamed["version"]) == ("All tokens", meter["version"])
    other = {"event_type": "completion", "aggregation": "count"}
    changed = (await client.patch("/meters/tokens", json={"definition": other})).json()
    assert (changed["version"]["number"], changed["version"]["definition"]["aggregation"]) == (
        2,
        "count",
    )
    versions = await got(client, "/meters/tokens/versions", limit=1)
    assert [one["number"] for one in versions["data"]] == [2]
    rest = await got(client, "/meters/tokens/versions", cursor=versions["next_cursor"])
    assert rest["data"] == [meter["version"]]

    for _ in range(2):
        archived = await client.post("/meters/tokens/archive")
        assert archived.json()["status"] == "archived"
    late = await client.patch("/meters/tokens", json={"name": "Tokens"})
    assert (late.status_code, late.json()["code"]) == (409, "meter_archived")
    assert (await got(client, "/meters", status="active"))["data"] == []
    assert (await client.get("/meters/none")).json()["code"] == "meter_unknown"


async def test_a_feature_is_renamed_and_versions_keep_its_name(client: httpx2.AsyncClient):
    plan = await created(client, "/plans", PLAN)
    (feature,) = (await got(client, "/features"))["data"]
    renamed = (await client.patch("/features/tokens", json={"name": "Words"})).json()
    assert (renamed["name"], renamed["version"]) == ("Words", feature["version"] + 1)
    assert renamed == await got(client, "/features/tokens")
    assert await got(client, "/plans/api") == plan
    assert (await client.get("/features/none")).json()["code"] == "feature_unknown"


async def test_another_tenant_sees_and_changes_nothing(
    client: httpx2.AsyncClient, application, tenant: Tenant, other_tenant: Tenant
):
    subscription = await a_subscriber(client)
    await created(client, "/meters", METER)
    await post(client, event("1", subscription))
    before = await rows_of(tenant)
    async with client_of(application, await key_of(other_tenant)) as stranger:
        told = await post(stranger, event("2", subscription))
        assert told.json()["code"] == "usage_subject_unknown"
        mend = {"id": "m", "action": "cancel", "corrects": {"id": "1"}}
        corrected = await stranger.post("/usage/corrections", json={"corrections": [mend]})
        assert corrected.json()["code"] == "usage_event_unknown"
        for path in ("usage", "billed-usage"):
            answer = await stranger.get(f"/subscriptions/{subscription['id']}/{path}")
            assert answer.status_code == 404
        assert (await stranger.patch("/meters/tokens", json={"name": "x"})).status_code == 404
        assert (await stranger.patch("/features/tokens", json={"name": "x"})).status_code == 404
        assert (await got(stranger, "/features"))["data"] == []
        assert (await got(stranger, "/meters"))["data"] == []
    assert await rows_of(tenant) == before


async def test_who_may_only_read_tells_nothing(
    client: httpx2.AsyncClient, application, tenant: Tenant
):
    subscription = await subscribed(client)
    async with client_of(application, await key_of(tenant, ("billing:read",))) as reader:
        assert (await post(reader, event("1", subscription))).status_code == 403
    async with client_of(application) as nobody:
        assert (await post(nobody, event("1", subscription))).status_code == 401
