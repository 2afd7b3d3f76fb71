"""Is a number that no column can keep refused like any other wrong value?"""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.surfaces.platform_api.requests import PLAN, created, subscribed

HUGE = 10**30
PROMOTION: dict[str, Any] = {
    "code": "TENTH",
    "name": "A tenth",
    "kind": "percentage",
    "percent": "10",
}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/subscriptions/{id}/migrate", {"version": HUGE}),
        ("POST", "/subscriptions/{id}/migrate/preview", {"version": HUGE}),
        ("POST", "/plans/team/versions", {**PLAN, "code": None, "expected_version": HUGE}),
        ("PUT", "/dunning-policy", {"version": HUGE}),
        ("POST", "/promotions", {**PROMOTION, "maximum_redemptions": HUGE}),
        ("POST", "/promotions", {**PROMOTION, "maximum_per_account": HUGE}),
        ("POST", "/promotions", {**PROMOTION, "duration": "periods", "duration_periods": HUGE}),
        ("POST", "/promotions", {"code": "A", "name": "A", "kind": "free_days", "count": HUGE}),
        ("POST", "/plans", {**PLAN, "code": "a", "interval": {"unit": "month", "count": HUGE}}),
    ],
)
async def test_a_number_that_nothing_can_keep_is_refused(
    client: httpx2.AsyncClient, method: str, path: str, body: dict[str, Any]
):
    subscription = await subscribed(client)
    given = {name: value for name, value in body.items() if value is not None}
    answer = await client.request(method, path.format(id=subscription["id"]), json=given)
    assert answer.status_code == 422, answer.text


async def test_a_promotion_is_not_changed_to_what_nothing_can_keep(client: httpx2.AsyncClient):
    await created(client, "/promotions", PROMOTION)
    for member in ("maximum_redemptions", "maximum_per_account"):
        answer = await client.patch("/promotions/TENTH", json={member: HUGE})
        assert answer.status_code == 422, answer.text
