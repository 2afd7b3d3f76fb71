"""How does a platform describe what plans give?"""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.surfaces.platform_api.requests import PLAN, changed, created, got

CALLS = {"code": "calls", "name": "Calls", "kind": "metered", "meter": "requests"}
REGION = {"code": "region", "name": "Region", "kind": "static", "options": ["eu", "us"]}
DAILY = {"kind": "calendar", "interval": {"unit": "day", "count": 1}}
TERMS = {
    "limit_policy": "soft_capped",
    "soft_cap": "12.5",
    "reset": {**DAILY, "window_seconds": None},
    "preserve_overage": True,
    "kept_when_unpaid": True,
}
PLAIN = {
    "limit_policy": "hard",
    "soft_cap": None,
    "reset": {"kind": "billing_cycle", "interval": None, "window_seconds": None},
    "preserve_overage": False,
    "kept_when_unpaid": False,
}


def plan_of(*features: dict[str, Any], add_on: str = "more") -> dict[str, Any]:
    """A plan with an add-on."""
    component = {
        "code": add_on,
        "name": "More",
        "optional": True,
        "prices": [{"model": "flat", "currency": "EUR", "price": "5.00"}],
    }
    body = changed(PLAN, "components", to=[*PLAN["components"], component])
    return changed(body, "features", to=list(features))


async def refused(response: httpx2.Response) -> tuple[int, str, str | None]:
    problem = response.json()
    errors = problem.get("errors") or [{}]
    return response.status_code, errors[0].get("code") or problem["code"], errors[0].get("pointer")


async def test_a_feature_is_told_as_it_was_described(client: httpx2.AsyncClient):
    calls = await created(client, "/features", CALLS)
    region = await created(client, "/features", REGION)
    assert (calls["meter"], calls["combination"], calls["on_change"]) == (
        "requests",
        "additive",
        "prorate_grant",
    )
    assert (region["options"], region["default"], region["version"]) == (["eu", "us"], None, 1)
    assert (await got(client, "/features"))["data"] == [region, calls]
    assert (await got(client, "/features", kind="static"))["data"] == [region]
    answer = await client.patch("/features/calls", json={"name": "API calls", "meter": None})
    assert answer.json() == {
        **calls,
        "name": "API calls",
        "meter": None,
        "version": 2,
        "updated_at": answer.json()["updated_at"],
    }
    again = await client.post("/features", json=CALLS)
    assert (again.status_code, again.json()["code"]) == (409, "feature_code_taken")


async def test_a_default_is_set_and_taken_away(client: httpx2.AsyncClient):
    await created(client, "/features", CALLS)
    answer = await client.put("/features/calls/default", json={"value": "100", "terms": TERMS})
    assert answer.json()["default"] == {"value": "100", "terms": TERMS}
    assert (await got(client, "/features/calls"))["default"]["terms"] == TERMS
    for _ in range(2):
        answer = await client.delete("/features/calls/default")
        assert (answer.status_code, answer.json()["default"]) == (200, None)
    assert answer.json()["version"] == 3


async def test_a_plan_says_how_a_feature_is_limited_and_what_comes_with_an_add_on(
    client: httpx2.AsyncClient,
):
    feature = {"code": "calls", "name": "Calls", "kind": "metered"}
    body = plan_of(
        {**feature, "value": "500", "add_on": "more"}, {**feature, "value": "100", "terms": TERMS}
    )
    made = await created(client, "/plans", body)
    of_plan, of_add_on = made["features"]
    assert (of_plan["value"], of_plan["add_on"], of_plan["terms"]) == ("100", None, TERMS)
    assert (of_add_on["value"], of_add_on["add_on"], of_add_on["terms"]) == ("500", "more", PLAIN)
    assert await got(client, "/plans/team") == made


def given(**members: Any) -> dict[str, Any]:
    return {"code": "calls", "name": "Calls", "kind": "metered", "value": "1", **members}


WRONG: list[tuple[list[dict[str, Any]], str, str]] = [
    ([given(add_on="base")], "feature_add_on_unknown", "/features/0/add_on"),
    ([given(), given()], "feature_code_repeated", "/features/1/code"),
    (
        [given(), given(kind="boolean", value=True, add_on="more")],
        "feature_kind_differs",
        "/features/1/kind",
    ),
    (
        [given(terms={"soft_cap": "1"})],
        "feature_term_unsuitable",
        "/features/0/terms/soft_cap",
    ),
    (
        [given(terms={"limit_policy": "soft_capped"})],
        "feature_term_missing",
        "/features/0/terms/soft_cap",
    ),
    (
        [given(terms={"reset": {"kind": "sliding_window"}})],
        "feature_term_missing",
        "/features/0/terms/reset/window_seconds",
    ),
    (
        [given(terms={"reset": {"kind": "never", "interval": {"unit": "day"}}})],
        "feature_term_unsuitable",
        "/features/0/terms/reset/interval",
    ),
    (
        [given(terms={"reset": {"kind": "never"}, "preserve_overage": True})],
        "feature_term_unsuitable",
        "/features/0/terms/preserve_overage",
    ),
    (
        [given(kind="boolean", value=True, terms={"limit_policy": "soft"})],
        "feature_term_unsuitable",
        "/features/0/terms/limit_policy",
    ),
    ([given(value="100000000000000")], "feature_value_invalid", "/features/0/value"),
    ([given(value="0.0000001")], "feature_value_invalid", "/features/0/value"),
    (
        [{"code": "region", "name": "Region", "kind": "static", "value": "jp"}],
        "feature_value_invalid",
        "/features/0/value",
    ),
]


@pytest.mark.parametrize(("features", "code", "pointer"), WRONG)
async def test_what_does_not_belong_together_is_refused(
    client: httpx2.AsyncClient, features: list[dict[str, Any]], code: str, pointer: str
):
    await created(client, "/features", REGION)
    assert await refused(await client.post("/plans", json=plan_of(*features))) == (
        422,
        code,
        pointer,
    )


async def test_a_feature_has_nothing_of_another_kind(client: httpx2.AsyncClient):
    for kind, member, value in (
        ("boolean", "meter", "requests"),
        ("static", "combination", "parallel"),
        ("boolean", "on_change", "grant_full"),
        ("metered", "options", ["a"]),
    ):
        body = {"code": "f", "name": "F", "kind": kind, member: value}
        answer = await refused(await client.post("/features", json=body))
        assert answer == (422, "feature_member_unsuitable", f"/{member}")
    await created(client, "/features", REGION)
    await client.put("/features/region/default", json={"value": "us"})
    answer = await refused(await client.patch("/features/region", json={"options": ["eu"]}))
    assert answer == (422, "feature_value_invalid", "/default/value")
    answer = await refused(await client.put("/features/region/default", json={"value": "jp"}))
    assert answer == (422, "feature_value_invalid", "/value")


async def test_another_tenants_features_are_invisible(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient
):
    await created(client, "/features", CALLS)
    assert (await got(other_client, "/features"))["data"] == []
    for attempt in (
        other_client.patch("/features/calls", json={"name": "Mine"}),
        other_client.put("/features/calls/default", json={"value": "1"}),
        other_client.delete("/features/calls/default"),
    ):
        assert await refused(await attempt) == (404, "feature_unknown", None)
    await created(other_client, "/features", {**CALLS, "meter": None})
