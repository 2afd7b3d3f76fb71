"""Is everything that can be said of a subscription understood, answered and kept in its history?"""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from billwright.runtime.clock import FixedClock
from tests.conftest import Tenant
from tests.surfaces.platform_api.commanding import TEN_DAYS_LATER, begun, sold
from tests.surfaces.platform_api.requests import got, rows_of

TEAM = {"plan_code": "team"}
LONG_AGO, FAR_AWAY = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"


async def told(
    client: httpx2.AsyncClient, subscription: dict[str, Any], command: str, **body: Any
) -> dict[str, Any]:
    """What a command answers."""
    method = "PUT" if command in {"renewal", "collection"} else "POST"
    path = f"/subscriptions/{subscription['id']}/{command}"
    response = await client.request(method, path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_start_in_the_future_with_a_trial_is_answered_as_it_was_asked_for(
    client: httpx2.AsyncClient,
):
    await sold(client)
    price = {"model": "flat", "currency": "EUR", "price": "19.00"}
    subscription = await begun(
        client,
        starts_at="2026-02-01T00:00:00+01:00",
        trial_days=14,
        trial_end_behavior="pause",
        activation="on_first_payment",
        renews=False,
        currency="EUR",
        prices={"base": price},
    )
    assert subscription["state"] == "scheduled"
    assert subscription["started_at"] == "2026-01-31T23:00:00Z"
    assert subscription["trial"] == {
        "start": "2026-01-31T23:00:00Z",
        "end": "2026-02-14T23:00:00Z",
        "original_end": "2026-02-14T23:00:00Z",
        "state": "scheduled",
        "end_behavior": "pause",
    }
    assert (subscription["activation"], subscription["renews"]) == ("on_first_payment", False)
    assert [item["price"] for item in subscription["items"]] == [price, None]
    assert (subscription["documents"], subscription["pending"]) == ([], 0)


async def test_a_start_in_the_past_is_billed_from_where_it_was_not_billed_elsewhere(
    client: httpx2.AsyncClient,
):
    """From 10 November on, in periods from the 10th: the third of them is the first to be billed."""
    await sold(client)
    subscription = await begun(
        client, starts_at="2025-11-10T00:00:00+01:00", bills_from="2026-01-10T00:00:00+01:00"
    )
    assert subscription["period"]["index"] == 2
    (document,) = subscription["documents"]
    assert document["total"]["amount"] == "69.85"


async def test_what_is_to_come_is_shown_beside_the_state(
    client: httpx2.AsyncClient, clock: FixedClock
):
    await sold(client)
    subscription = await begun(client)
    clock.move_to(TEN_DAYS_LATER)
    changing = await told(
        client,
        subscription,
        "change-plan",
        plan_code="business",
        quantities={"seats": "4"},
        effective="period_end",
    )
    assert changing["plan"]["code"] == "team"
    assert changing["pending_change"] == {
        "plan": {"code": "business", "name": "Business", "version": 1},
        "items": [
            {"component": "base", "quantity": "1", "price": None},
            {"component": "seats", "quantity": "4", "price": None},
        ],
        "effective_at": "2026-02-15T12:00:00Z",
        "at_period_end": True,
        "proration": "invoice_now",
        "requested_at": "2026-01-25T12:00:00Z",
    }
    assert (await got(client, "/subscriptions"))["data"][0]["pending_change"] is not None
    until = "2026-03-01T00:00:00Z"
    collecting = await told(
        client, subscription, "collection", behavior="keep_as_draft", resumes_at=until
    )
    assert collecting["collection"] == {"behavior": "keep_as_draft", "resumes_at": until}
    assert (await told(client, subscription, "collection", behavior=None))["collection"] is None
    ending = await told(
        client,
        subscription,
        "cancel",
        mode="at",
        cancel_at="2026-02-01T00:00:00Z",
        feedback="too_expensive",
        comment="Too dear.\nBye.",
        bills_final_usage=False,
    )
    assert ending["pending_change"] is None
    assert ending["cancellation"] == {
        "mode": "at",
        "at": "2026-02-01T00:00:00Z",
        "requested_at": "2026-01-25T12:00:00Z",
        "reason": "requested",
        "feedback": "too_expensive",
        "comment": "Too dear.\nBye.",
        "proration": "none",
        "bills_final_usage": False,
    }
    paused = await told(client, subscription, "pause", resumes_at="2026-01-30T00:00:00Z")
    assert (paused["state"], paused["pause"]) == (
        "paused",
        {
            "at": "2026-01-25T12:00:00Z",
            "resumes_at": "2026-01-30T00:00:00Z",
            "keeps_period": True,
        },
    )


async def test_the_history_tells_who_did_what_newest_first(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient
):
    await sold(client)
    subscription = await begun(client)
    await told(client, subscription, "change-quantity", quantities={"seats": "5"})
    path = f"/subscriptions/{subscription['id']}/history"
    first = await got(client, path, limit=1)
    rest = await got(client, path, cursor=first["next_cursor"])
    entries = first["data"] + rest["data"]
    assert [entry["action"] for entry in entries] == [
        "subscription.change",
        "subscription.change_quantity",
        "subscription.start",
        "subscription.create",
    ]
    assert entries[1]["actor"]["kind"] == "api_key"
    assert entries[1]["cause"] == "change_quantity"
    assert entries[1]["details"]["quantities"] == {"seats": "5"}
    assert (await other_client.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("command", "body", "pointer", "code"),
    [
        ("change-plan", {**TEAM, "effective": "at"}, "/effective_at", "required"),
        ("change-plan", {**TEAM, "effective_at": LONG_AGO}, "/effective_at", "effective_at_invalid"),
        ("change-plan", {**TEAM, "effective_at": FAR_AWAY}, "/effective_at", "effective_at_invalid"),
        ("change-quantity", {"quantities": {}}, "/quantities", "too_short"),
        ("change-quantity", {"quantities": {"none": "1"}}, "/quantities/none", "component_unknown"),
        ("cancel", {"mode": "at"}, "/cancel_at", "cancel_at_invalid"),
        ("cancel", {"mode": "at", "cancel_at": LONG_AGO}, "/cancel_at", "cancel_at_invalid"),
        ("cancel", {"mode": "now", "reason": "admin"}, "/reason", "unknown_field"),
        ("pause", {"resumes_at": LONG_AGO}, "/resumes_at", "resumes_at_invalid"),
        ("trial/extend", {"trial_end": LONG_AGO}, "/trial_end", "trial_end_invalid"),
        ("trial/extend", {"trial_end": FAR_AWAY}, "/trial_end", "trial_end_invalid"),
        ("migrate", {"version": 0}, "/version", "out_of_range"),
    ],
)  # fmt: skip
async def test_what_cannot_be_meant_is_refused_where_it_stands(
    client: httpx2.AsyncClient,
    tenant: Tenant,
    command: str,
    body: dict[str, Any],
    pointer: str,
    code: str,
):
    await sold(client)
    trying = {"trial_days": 14} if command == "trial/extend" else {}
    path = f"/subscriptions/{(await begun(client, **trying))['id']}/{command}"
    before = await rows_of(tenant)
    response = await client.post(path, json=body)
    assert response.status_code == 422, response.text
    (error,) = response.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)
    assert await rows_of(tenant) == before


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"starts_at": FAR_AWAY}, "/starts_at", "starts_at_invalid"),
        ({"starts_at": LONG_AGO}, "/starts_at", "starts_at_invalid"),
        ({"bills_from": FAR_AWAY}, "/bills_from", "bills_from_invalid"),
        ({"bills_from": LONG_AGO}, "/bills_from", "bills_from_invalid"),
        ({"trial_days": 731}, "/trial_days", "out_of_range"),
        ({"promotion_codes": ["NONE"]}, "/promotion_codes/0", "promotion_unknown_here"),
        (
            {"prices": {"base": {"model": "flat", "currency": "EUR", "price": "1"}}},
            "",
            "currencies_differ",
        ),
    ],
)
async def test_a_subscription_that_cannot_be_begun_is_refused(
    client: httpx2.AsyncClient, changes: dict[str, Any], pointer: str, code: str
):
    await sold(client)
    account = await client.post("/accounts", json={"name": "Riverbank Books"})
    body = {"account_id": account.json()["id"], "plan_code": "team", **changes}
    response = await client.post("/subscriptions", json=body)
    assert response.status_code == 422, response.text
    (error,) = response.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)
