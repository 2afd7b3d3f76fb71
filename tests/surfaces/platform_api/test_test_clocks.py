"""Can a platform send its test accounts through time?"""

from __future__ import annotations

import httpx2
import pytest

from tests.conftest import Tenant
from tests.surfaces.platform_api.requests import (
    ACCOUNT,
    PLAN,
    TEST_CLOCK,
    created,
    got,
    rows_of,
)


async def test_an_account_begins_at_the_time_of_its_clock(client: httpx2.AsyncClient):
    clock = await created(client, "/test-clocks", TEST_CLOCK)
    assert (clock["state"], clock["target"], clock["failure"]) == ("ready", None, None)
    await created(client, "/plans", PLAN)
    account = await created(client, "/accounts", {**ACCOUNT, "test_clock_id": clock["id"]})
    assert account["created_at"] == TEST_CLOCK["now"]
    subscription = await created(
        client, "/subscriptions", {"account_id": account["id"], "plan_code": "team"}
    )
    assert subscription["test_clock_id"] == clock["id"]
    assert subscription["period"]["start"] == "2026-01-31T08:30:00Z"
    assert subscription["period"]["end"] == "2026-02-28T08:30:00Z"


async def test_advancing_is_accepted_and_done_later(client: httpx2.AsyncClient):
    clock = await created(client, "/test-clocks", TEST_CLOCK)
    path = f"/test-clocks/{clock['id']}"
    response = await client.post(f"{path}/advance", json={"to": "2026-02-01T00:00:00+01:00"})
    assert response.status_code == 202
    expected = {**clock, "state": "advancing", "target": "2026-01-31T23:00:00Z"}
    assert response.json() == expected
    assert await got(client, path) == expected

    again = await client.post(f"{path}/advance", json={"to": "2026-03-01T00:00:00Z"})
    assert (again.status_code, again.json()["code"]) == (409, "test_clock_busy")


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("2026-01-31T08:30:00Z", "test_clock_backwards"),
        ("2025-01-31T08:30:00Z", "test_clock_backwards"),
        ("2029-01-31T08:30:00Z", "test_clock_too_far"),
        ("tomorrow", "instant"),
    ],
)
async def test_time_only_goes_forward_and_not_too_far(
    client: httpx2.AsyncClient, tenant: Tenant, to: str, code: str
):
    clock = await created(client, "/test-clocks", TEST_CLOCK)
    before = await rows_of(tenant)
    response = await client.post(f"/test-clocks/{clock['id']}/advance", json={"to": to})
    assert response.status_code == 422
    assert [(e["pointer"], e["code"]) for e in response.json()["errors"]] == [("/to", code)]
    assert await rows_of(tenant) == before
