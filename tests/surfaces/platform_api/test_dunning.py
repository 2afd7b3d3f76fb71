"""Can a platform say how unpaid invoices are pursued, see it, and step in?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI

from billwright.features.payment_providers.port import PaymentProviders
from billwright.runtime.clock import FixedClock
from tests.conftest import Tenant
from tests.features.dunning.pursuing import DUE, Pursuit, a_pursuit
from tests.features.payments.paying import PROCESSING, SUCCEEDED
from tests.surfaces.platform_api.requests import PLAN, created, got

POLICY: dict[str, Any] = {
    "schedule": ["P3D", "PT36H"],
    "hard_decline": "continue",
    "retry_on_new_method": "at_next_step",
    "final_action": "leave_past_due",
    "minimums": {"EUR": "1.00", "JPY": "100"},
    "local_hours": {"opens": 8, "closes": 12},
    "max_age": "P30D",
    "notices": [{"code": "card_declined", "offset": "PT1H"}],
    "entitlement_steps": [
        {"after": "P5D", "effect": "degrade", "features": ["exports"]},
        {"after": "P14D", "effect": "revoke", "features": []},
    ],
    "restoration": "immediate",
    "scope": "account",
}


@pytest_asyncio.fixture
async def pursuit(tenant: Tenant, clock: FixedClock, application: FastAPI) -> Pursuit:
    """A case of dunning whose first attempt was declined, and the bank that the product asks."""
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(DUE)
    wiring = application.state.wiring
    providers = PaymentProviders({**wiring.payment_providers, **pursuit.bank.providers})
    application.state.wiring = replace(wiring, payment_providers=providers)
    return pursuit


async def test_a_policy_is_set_read_and_taken_away(client: httpx2.AsyncClient):
    await created(client, "/plans", PLAN)
    default = await got(client, "/dunning-policy")
    assert (default["set_for"], default["version"]) == ("default", None)
    assert default["policy"]["schedule"] == ["P2D", "P5D", "P7D", "P7D"]

    answer = await client.put("/dunning-policy", json=POLICY)
    assert answer.status_code == 200, answer.text
    assert answer.json()["policy"] == POLICY
    assert (answer.json()["set_for"], answer.json()["version"]) == ("seller", 1)
    assert await got(client, "/plans/team/dunning-policy") == answer.json()

    changed = await client.put("/plans/team/dunning-policy", json={"schedule": ["P9D"]})
    assert (changed.json()["set_for"], changed.json()["version"]) == ("plan", 1)
    assert changed.json()["policy"] == {**default["policy"], "schedule": ["P9D"]}
    for _ in range(2):
        assert (await client.delete("/plans/team/dunning-policy")).status_code == 204
    assert (await got(client, "/plans/team/dunning-policy"))["set_for"] == "seller"
    assert (await client.get("/plans/nothing/dunning-policy")).status_code == 404


async def test_a_policy_that_has_changed_meanwhile_is_left_alone(client: httpx2.AsyncClient):
    early = await client.put("/dunning-policy", json={"version": 1})
    assert (early.status_code, early.json()["code"]) == (412, "dunning_policy_stale")
    for _ in range(2):
        assert (await client.put("/dunning-policy", json={"schedule": ["P9D"]})).is_success
    stale = await client.put("/dunning-policy", json={"version": 1})
    assert (stale.status_code, stale.json()["code"]) == (412, "dunning_policy_stale")
    assert (await client.put("/dunning-policy", json={"version": 2})).json()["version"] == 3


@pytest.mark.parametrize(
    ("policy", "pointer"),
    [
        ({"schedule": ["P2D", "PT1M"]}, "/schedule/1"),
        ({"schedule": ["two days"]}, "/schedule/0"),
        ({"minimums": {"EUR": "0.001"}}, "/minimums/EUR"),
        ({"notices": [{"code": "No", "offset": "P0D"}]}, "/notices/0/code"),
        (
            {"entitlement_steps": [{"after": "P1D", "effect": "degrade"}]},
            "/entitlement_steps/0/features",
        ),
    ],
)
async def test_what_is_wrong_with_a_policy_is_named(
    client: httpx2.AsyncClient, policy: dict[str, Any], pointer: str
):
    for answer, prefix in (
        (await client.put("/dunning-policy", json=policy), ""),
        (await client.post("/dunning-policy/preview", json={"policy": policy}), "/policy"),
    ):
        assert answer.status_code == 422, answer.text
        [problem] = answer.json()["errors"]
        assert (problem["code"], problem["pointer"]) == ("dunning_policy_invalid", prefix + pointer)


async def test_a_policy_is_played_before_it_is_set(client: httpx2.AsyncClient):
    asked = {
        "policy": {"schedule": ["P3D", "P4D"], "notices": [], "entitlement_steps": []},
        "opened_at": "2026-06-01T10:00:00+02:00",
        "zone": "Europe/Berlin",
        "outcomes": ["soft", "paid"],
    }
    answer = await client.post("/dunning-policy/preview", json=asked)
    assert answer.status_code == 200, answer.text
    told = [(one["at"], one["kind"], one["value"], one["step"]) for one in answer.json()["entries"]]
    assert told == [
        ("2026-06-01T08:00:00Z", "attempt", "soft", 0),
        ("2026-06-04T08:00:00Z", "attempt", "paid", 0),
        ("2026-06-04T08:00:00Z", "restored", None, 0),
    ]
    assert (await got(client, "/dunning-policy"))["version"] is None
    stored = await client.post("/dunning-policy/preview", json={})
    assert stored.json()["zone"] == "Europe/Berlin"
    assert stored.json()["entries"][-1]["value"] == "cancel"
    unknown = await client.post("/dunning-policy/preview", json={"plan_code": "nothing"})
    assert unknown.json()["errors"][0]["pointer"] == "/plan_code"


async def test_a_failure_is_seen_with_what_happened(client: httpx2.AsyncClient, pursuit: Pursuit):
    listed = await got(client, "/payment-failures", state="open", invoice_id=pursuit.invoice.id)
    [failure] = listed["data"]
    assert failure["due"] == {"amount": "46.29", "currency": "EUR"}
    assert (failure["step"], failure["steps"], failure["attempts"]) == (0, 4, 1)
    assert failure["next_attempt_at"] == "2026-01-31T08:00:00Z"
    assert (await got(client, "/payment-failures", state="exhausted"))["data"] == []

    known = await got(client, f"/payment-failures/{failure['id']}")
    assert {name: known[name] for name in failure} == failure
    assert known["policy"]["schedule"] == ["P2D", "P5D", "P7D", "P7D"]
    assert [one["type"] for one in known["history"]] == ["dunning.opened", "dunning.notice"]


async def test_a_retry_is_made_once(client: httpx2.AsyncClient, pursuit: Pursuit):
    path = f"/payment-failures/{(await pursuit.case()).id}/retry"
    first = await client.post(path, headers={"Idempotency-Key": "1"})
    assert first.status_code == 200, first.text
    assert (first.json()["state"], first.json()["attempts"], first.json()["step"]) == ("open", 2, 0)
    again = await client.post(path, headers={"Idempotency-Key": "1"})
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert len(pursuit.bank.collected) == 2

    pursuit.bank.script = [PROCESSING]
    assert (await client.post(path)).json()["under_way"] == "manual"
    refused = await client.post(path)
    assert (refused.status_code, refused.json()["code"]) == (409, "payment_in_progress")
    await pursuit.answer(SUCCEEDED)
    refused = await client.post(path)
    assert (refused.status_code, refused.json()["code"]) == (409, "payment_failure_ended")


async def test_a_retry_closes_an_open_page_and_needs_a_card(
    client: httpx2.AsyncClient, pursuit: Pursuit
):
    path = f"/payment-failures/{(await pursuit.case()).id}/retry"
    page = {
        "success_url": "https://shop.example/thanks",
        "cancel_url": "https://shop.example/back",
        "provider": "scripted",
    }
    opened = await client.post(f"/invoices/{pursuit.invoice.id}/payment-page", json=page)
    assert opened.is_success, opened.text
    assert (await client.post(path)).json()["attempts"] == 2
    assert pursuit.bank.withdrawn == ["page-1"]
    await pursuit.remove_card()
    refused = await client.post(path)
    assert (refused.status_code, refused.json()["code"]) == (409, "payment_method_missing")


async def test_a_case_is_paused_resumed_and_given_up(client: httpx2.AsyncClient, pursuit: Pursuit):
    path = f"/payment-failures/{(await pursuit.case()).id}"
    until = {"until": "2026-03-01T00:00:00Z"}
    paused = await client.post(f"{path}/pause", json=until)
    assert paused.json()["paused_until"] == until["until"]
    early = await client.post(f"{path}/pause", json={"until": "2026-01-01T00:00:00Z"})
    assert (early.status_code, early.json()["errors"][0]["pointer"]) == (422, "/until")
    resumed = await client.post(f"{path}/resume")
    assert (resumed.status_code, resumed.json()["paused_until"]) == (200, None)
    given_up = await client.post(f"{path}/write-off", json={"reason": "Insolvent"})
    assert given_up.json()["state"] == "written_off"
    invoice = await got(client, f"/invoices/{pursuit.invoice.id}")
    assert invoice["state"] == "uncollectible"


async def test_another_tenant_s_failures_do_not_exist(
    other_client: httpx2.AsyncClient, pursuit: Pursuit
):
    path = f"/payment-failures/{(await pursuit.case()).id}"
    assert (await got(other_client, "/payment-failures"))["data"] == []
    for answer in (
        await other_client.get(path),
        await other_client.post(f"{path}/retry"),
        await other_client.post(f"{path}/resume"),
        await other_client.post(f"{path}/pause", json={"until": "2026-03-01T00:00:00Z"}),
        await other_client.post(f"{path}/write-off", json={"reason": "Not theirs"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "payment_failure_unknown")
