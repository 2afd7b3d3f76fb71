"""Can a platform let its customers try a plan, and go on from there?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from billwright.features.maintenance.operations.advance_test_clock import advance_test_clock
from billwright.runtime.clock import FixedClock
from billwright.runtime.queue.registry import Registry
from tests.conftest import NOON, Tenant
from tests.surfaces.platform_api.requests import ACCOUNT, PLAN, created, got


async def tried(client: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    """A trial of fourteen days."""
    await created(client, "/plans", PLAN)
    account = await created(client, "/accounts", ACCOUNT)
    body = {"account_id": account["id"], "plan_code": "team", "trial_days": 14, **changes}
    return await created(client, "/trials", body)


async def sent(client: httpx2.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    response = await client.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def advance(
    client: httpx2.AsyncClient, tenant: Tenant, registry: Registry, clock_id: str, to: str
) -> None:
    """Send a test clock through time, as the worker does."""
    response = await client.post(f"/test-clocks/{clock_id}/advance", json={"to": to})
    assert response.status_code == 202, response.text
    work = replace(tenant.work("advance_test_clock"), sweeps=registry.sweeps)
    await advance_test_clock(work, {"test_clock_id": clock_id})


async def test_a_trial_is_reminded_of_and_converts_on_a_test_clock(
    client: httpx2.AsyncClient, tenant: Tenant, registry: Registry
):
    clock = await created(client, "/test-clocks", {"name": "t", "now": "2026-01-15T12:00:00Z"})
    await created(client, "/plans", PLAN)
    account = await created(client, "/accounts", {**ACCOUNT, "test_clock_id": clock["id"]})
    body = {"account_id": account["id"], "plan_code": "team", "trial_days": 14}
    begun = await created(client, "/trials", body)
    path = f"/trials/{begun['id']}"
    trial = await got(client, path)
    assert (trial["state"], trial["days_left"], trial["at_end"]) == ("active", 14, "continue")
    assert trial["ends_at"] == trial["original_ends_at"] == "2026-01-29T12:00:00Z"
    assert trial["reminder_at"] == "2026-01-26T12:00:00Z"

    await advance(client, tenant, registry, clock["id"], "2026-01-26T13:00:00Z")
    events = await got(client, "/events", type="subscription.trial_ending")
    assert [one["data"]["amount_minor"] for one in events["data"]] == [4629]
    trial = await got(client, path)
    assert (trial["days_left"], trial["reminder_at"]) == (3, None)

    await advance(client, tenant, registry, clock["id"], "2026-02-01T12:00:00Z")
    trial = await got(client, path)
    assert (trial["state"], trial["days_left"], trial["at_end"]) == ("converted", 0, None)
    subscription = await got(client, f"/subscriptions/{begun['id']}")
    assert subscription["period"]["start"] == "2026-01-29T12:00:00Z"
    events = await got(client, "/events", type="subscription.trial_ending")
    assert len(events["data"]) == 1


async def test_a_trial_is_extended_and_its_first_end_is_remembered(client: httpx2.AsyncClient):
    trial = await tried(client)
    path = f"/trials/{trial['id']}"
    shown = await sent(client, f"{path}/extend/preview", trial_end="2026-02-10T12:00:00Z")
    done = await sent(client, f"{path}/extend", trial_end="2026-02-10T12:00:00Z")
    assert done["trial"] == shown["subscription"]["trial"]
    response = await client.get(path)
    found = response.json()
    assert (found["original_ends_at"], found["ends_at"], found["reminder_at"]) == (
        "2026-01-29T12:00:00Z",
        "2026-02-10T12:00:00Z",
        "2026-02-07T12:00:00Z",
    )
    assert response.headers["ETag"] == f'"{done["version"]}"'


async def test_a_second_trial_is_refused_unless_somebody_allows_it(client: httpx2.AsyncClient):
    trial = await tried(client)
    body = {"account_id": trial["account_id"], "plan_code": "team", "trial_days": 7}
    for path in ("/trials", "/trials/preview", "/subscriptions"):
        refused = await client.post(path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "trial_already_used")
        assert refused.json()["facts"]["redeemed_on"] == "2026-01-15"
    allowed = await created(client, "/trials", {**body, "allow_repeated_trial": True})
    assert allowed["trial"]["state"] == "active"


async def test_the_plan_s_own_trial_is_not_given_twice(client: httpx2.AsyncClient):
    await created(client, "/plans", {**PLAN, "terms": {"trial_days": 14}})
    account = await created(client, "/accounts", ACCOUNT)
    body = {"account_id": account["id"], "plan_code": "team"}
    assert (await created(client, "/subscriptions", body))["trial"] is not None
    second = await created(client, "/subscriptions", body)
    assert (second["trial"], second["state"]) == (None, "active")


@pytest.mark.parametrize(("command", "state"), [("end", "ended"), ("convert", "converted")])
async def test_it_is_ended_and_converted_as_the_preview_says(
    client: httpx2.AsyncClient, clock: FixedClock, command: str, state: str
):
    trial = await tried(client, trial_end_behavior="pause")
    clock.move_to(NOON + timedelta(days=5))
    path = f"/trials/{trial['id']}"
    before = await got(client, path)
    shown = await sent(client, f"{path}/{command}/preview")
    assert await got(client, path) == before
    done = await sent(client, f"{path}/{command}", effective_at=shown["proration_at"])
    assert done["trial"] == shown["subscription"]["trial"]
    assert (await got(client, path))["state"] == state
    assert [one["total"] for one in done["documents"]] == [
        one["total"] for one in shown["documents"]
    ]
    assert len(done["documents"]) == (1 if command == "convert" else 0)


async def test_trials_are_listed_by_what_users_ask_for(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient
):
    first = await tried(client)
    account = await created(client, "/accounts", {"name": "Meadow Press"})
    body = {"account_id": account["id"], "plan_code": "team", "trial_days": 30}
    second = await created(client, "/trials", body)

    async def ids(**filters: Any) -> list[str]:
        return [one["id"] for one in (await got(client, "/trials", **filters))["data"]]

    assert await ids() == [second["id"], first["id"]]
    assert await ids(account_id=account["id"]) == [second["id"]]
    assert await ids(ends_before="2026-02-01T00:00:00Z") == [first["id"]]
    assert await ids(ends_after="2026-02-01T00:00:00Z", state="active") == [second["id"]]
    assert await ids(state="converted") == await ids(plan_code="other") == []
    page = await got(client, "/trials", limit=1)
    rest = await got(client, "/trials", limit=1, cursor=page["next_cursor"])
    assert [one["id"] for one in rest["data"]] == [first["id"]]
    assert (await got(other_client, "/trials"))["data"] == []
    foreign = await other_client.get(f"/trials/{first['id']}")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "subscription_unknown")


async def test_what_has_no_trial_is_none(client: httpx2.AsyncClient):
    subscription = await tried(client)
    body = {"account_id": subscription["account_id"], "plan_code": "team", "trial_days": 0}
    plain = await created(client, "/subscriptions", body)
    missing = await client.get(f"/trials/{plain['id']}")
    assert (missing.status_code, missing.json()["code"]) == (404, "trial_unknown")
    both = {**body, "trial_days": 3, "trial_until": "2026-02-01T00:00:00Z"}
    assert (await client.post("/trials", json=both)).status_code == 422
    none = await client.post("/trials", json={**body, "trial_days": 0})
    assert [one["code"] for one in none.json()["errors"]] == ["trial_length_missing"]
