"""Is a plan answered as it was given, whatever it costs?"""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.surfaces.platform_api.requests import (
    PLAN,
    changed,
    created,
    got,
    invoice_ids_of,
    plan_with,
    subscribed,
)


async def test_created_and_read_are_the_same(client: httpx2.AsyncClient):
    plan = await created(client, "/plans", PLAN)
    assert await got(client, "/plans/team") == plan
    assert (await got(client, "/plans"))["data"] == [plan]
    assert plan["interval"] == {"unit": "month", "count": 1}
    assert [feature["code"] for feature in plan["features"]] == ["api_calls", "region", "sso"]


async def test_values_keep_their_type(client: httpx2.AsyncClient):
    features = [
        {"code": "a", "name": "A", "kind": "static", "value": True},
        {"code": "b", "name": "B", "kind": "static", "value": 1},
        {"code": "c", "name": "C", "kind": "static", "value": "1"},
        {"code": "d", "name": "D", "kind": "metered", "value": None},
    ]
    await created(client, "/plans", plan_with("features", to=features))
    read = await got(client, "/plans/team")
    values = [feature["value"] for feature in read["features"]]
    assert values == [True, 1, "1", None]
    assert [type(value) for value in values] == [bool, int, str, type(None)]


async def test_prices_in_several_currencies_and_finer_than_a_cent(client: httpx2.AsyncClient):
    prices = [
        {"model": "per_unit", "currency": "USD", "price": "0.0125"},
        {"model": "per_unit", "currency": "EUR", "price": "0.000000000001"},
        {"model": "flat", "currency": "JPY", "price": "1200"},
    ]
    component = {"code": "calls", "name": "Calls", "timing": "in_arrears", "prices": prices}
    plan = await created(client, "/plans", plan_with("components", to=[component]))
    by_currency = sorted(prices, key=lambda price: price["currency"])
    assert plan["components"][0]["prices"] == by_currency
    assert (await got(client, "/plans/team"))["components"] == plan["components"]


async def test_an_invoice_shows_the_price_of_a_unit_exactly(client: httpx2.AsyncClient):
    fine = plan_with("components", 1, "prices", 0, "price", to="0.0125")
    await created(client, "/plans", {**fine, "code": "fine"})
    subscription = await subscribed(client, plan_code="fine")
    invoice = await got(client, f"/invoices/{invoice_ids_of(subscription)[0]}")
    assert [line["unit_price"] for line in invoice["lines"]] == ["29.00", "0.0125"]
    # 3 * 0.0125 is 0.0375, rounded half up once.
    assert invoice["lines"][1]["amount"]["amount"] == "0.04"


async def test_every_member_of_a_pricing_model_is_on_the_wire(client: httpx2.AsyncClient):
    price = {
        "model": "graduated",
        "currency": "EUR",
        "tiers": [
            {"up_to": "10", "unit_price": "1.50", "flat_price": "0"},
            {"up_to": None, "unit_price": "0.0125", "flat_price": "5.00"},
        ],
    }
    component = {"code": "calls", "name": "Calls", "prices": [price]}
    plan = await created(client, "/plans", plan_with("components", to=[component]))
    assert plan["components"][0]["prices"] == [price]
    assert (await got(client, "/plans/team"))["components"] == plan["components"]


async def test_what_is_left_out_has_the_usual_meaning(client: httpx2.AsyncClient):
    plan = await created(client, "/plans", PLAN)
    assert plan["tax_inclusive"] is False
    assert plan["terms"] == {
        "alignment": "anniversary",
        "calendar_day": None,
        "trial_days": 0,
        "trial_end_behavior": "create_invoice",
        "notice_days": 0,
        "commitment_days": 0,
        "ends_at_period_end": False,
    }
    (base, _) = plan["components"]
    assert (base["kind"], base["timing"], base["optional"]) == ("recurring", "in_advance", False)
    assert (base["free_units"], base["meter"], base["minimums"]) == ("0", None, [])


async def test_terms_usage_and_minimums_are_answered_as_they_were_given(
    client: httpx2.AsyncClient,
):
    terms = {
        "alignment": "calendar",
        "calendar_day": 31,
        "trial_days": 14,
        "trial_end_behavior": "pause",
        "notice_days": 30,
        "commitment_days": 365,
        "ends_at_period_end": True,
    }
    setup = {"code": "setup", "name": "Setup", "kind": "one_time", "optional": True}
    calls = {
        "code": "calls",
        "name": "API calls",
        "kind": "usage",
        "meter": "api_calls",
        "unit_name": "call",
        "free_units": "1000.5",
    }
    prices = [
        {"model": "flat", "currency": "EUR", "price": "0.0125"},
        {"model": "flat", "currency": "JPY", "price": "2"},
    ]
    minimums = [{"amount": "1200", "currency": "JPY"}, {"amount": "5.00", "currency": "EUR"}]
    plan = await created(
        client,
        "/plans",
        {
            **PLAN,
            "tax_inclusive": True,
            "terms": terms,
            "components": [
                {**setup, "prices": prices},
                {**calls, "prices": prices, "minimums": minimums},
            ],
        },
    )
    assert await got(client, "/plans/team") == plan
    assert (plan["terms"], plan["tax_inclusive"]) == (terms, True)
    once, counted = plan["components"]
    assert setup.items() <= once.items()
    assert calls.items() <= counted.items()
    assert (once["timing"], counted["timing"]) == ("in_advance", "in_arrears")
    assert counted["minimums"] == minimums[::-1]  # in the order of their currencies


@pytest.mark.parametrize(
    ("path", "value", "pointer", "code"),
    [
        ("/terms/trial_days", 731, "/terms/trial_days", "out_of_range"),
        ("/terms/calendar_day", 31, "/terms/calendar_day", "calendar_day_unsuitable"),
        ("/components/1/kind", "usage", "/components/1/meter", "component_meter_missing"),
        ("/components/1/meter", "calls", "/components/1/meter", "component_member_unsuitable"),
        ("/components/1/free_units", "-1", "/components/1/free_units", "out_of_range"),
        (
            "/components/1/minimums",
            [{"amount": "5.00", "currency": "USD"}],
            "/components/1/minimums/0",
            "minimum_without_price",
        ),
        (
            "/components/1/minimums",
            [{"amount": "-5.00", "currency": "EUR"}],
            "/components/1/minimums/0",
            "minimum_out_of_range",
        ),
        (
            "/components/1/minimums",
            [{"amount": "0.001", "currency": "EUR"}],
            "/components/1/minimums/0",
            "amount_too_fine",
        ),
    ],
)
async def test_what_is_wrong_with_a_plan_is_named_where_it_is(
    client: httpx2.AsyncClient, path: str, value: Any, pointer: str, code: str
):
    parts = [int(part) if part.isdecimal() else part for part in path.split("/")[1:]]
    body = changed(plan_with("terms", to={}), *parts, to=value)
    response = await client.post("/plans", json=body)
    assert response.status_code == 422
    (problem,) = response.json()["errors"]
    assert (problem["pointer"], problem["code"]) == (pointer, code)
