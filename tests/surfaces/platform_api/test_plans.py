"""Is a plan answered as it was given, whatever it costs?"""

from __future__ import annotations

import httpx2

from tests.surfaces.platform_api.requests import PLAN, created, got, plan_with, subscribed


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
    invoice = await got(client, f"/invoices/{subscription['invoice_ids'][0]}")
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
