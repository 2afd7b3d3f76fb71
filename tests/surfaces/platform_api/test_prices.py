"""Is every pricing model written and read as it was defined?"""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from billwright.features.pricing.rules.models import PRICING_MODELS
from tests.surfaces.platform_api.requests import created, got, plan_with

TIERS = [
    {"up_to": "10.5", "unit_price": "9.00", "flat_price": "5.00"},
    {"up_to": None, "unit_price": "0.00000012", "flat_price": "0"},
]
PRICES: list[dict[str, Any]] = [
    {"model": "flat", "price": "29.00"},
    {"model": "per_unit", "price": "0.00000012"},
    {"model": "package", "price": "5.00", "package_size": "1000", "free_units": "100"},
    {"model": "graduated", "tiers": TIERS},
    {"model": "volume", "tiers": TIERS},
    {
        "model": "stairstep",
        "tiers": [{"up_to": "500", "flat_price": "0.00"}, {"up_to": None, "flat_price": "29.00"}],
    },
    {"model": "cost_plus", "base": "0.40", "margin_percent": "25", "margin_fixed": "0.020"},
]


def plan_priced(price: dict[str, Any]) -> dict[str, Any]:
    return plan_with("components", 1, "prices", 0, to={"currency": "EUR", **price})


def test_every_model_is_tested():
    assert {price["model"] for price in PRICES} == PRICING_MODELS.keys()


async def test_a_price_is_answered_with_the_digits_that_it_was_given_with(
    client: httpx2.AsyncClient,
):
    for price in PRICES:
        code = price["model"]
        await created(client, "/plans", {**plan_priced(price), "code": code})
        plan = await got(client, f"/plans/{code}")
        assert plan["components"][1]["prices"] == [{"currency": "EUR", **price}]


async def test_members_with_a_default_may_be_left_out(client: httpx2.AsyncClient):
    price = {"model": "graduated", "tiers": [{"up_to": None, "unit_price": "1"}]}
    plan = await created(client, "/plans", plan_priced(price))
    (answered,) = plan["components"][1]["prices"]
    assert answered["tiers"] == [{"up_to": None, "unit_price": "1", "flat_price": "0"}]


@pytest.mark.parametrize(
    ("price", "pointer", "code"),
    [
        ({"model": "graduated", "tiers": []}, "/tiers", "pricing_invalid"),
        (
            {"model": "volume", "tiers": [TIERS[0], TIERS[0], TIERS[1]]},
            "/tiers/1/up_to",
            "pricing_invalid",
        ),
        ({"model": "graduated", "tiers": [TIERS[0]]}, "/tiers/0/up_to", "pricing_invalid"),
        ({"model": "graduated", "tiers": [{"up_to": None}]}, "/tiers/0/unit_price", "required"),
        (
            {"model": "stairstep", "tiers": [{"up_to": None, "flat_price": "-1"}]},
            "/tiers/0/flat_price",
            "out_of_range",
        ),
        (
            {"model": "package", "price": "1", "package_size": "0"},
            "/package_size",
            "pricing_invalid",
        ),
        ({"model": "tiered"}, "/model", "unknown_choice"),
    ],
)
async def test_what_is_wrong_with_a_price_is_named_where_it_is(
    client: httpx2.AsyncClient, price: dict[str, Any], pointer: str, code: str
):
    response = await client.post("/plans", json=plan_priced(price))
    assert response.status_code == 422
    (problem,) = response.json()["errors"]
    assert (problem["pointer"], problem["code"]) == (f"/components/1/prices/0{pointer}", code)


def test_the_document_has_one_definition_of_a_tier(application: FastAPI):
    schemas = application.openapi()["components"]["schemas"]
    tiers = [
        schemas[f"{name}PriceInput"]["properties"]["tiers"] for name in ("Graduated", "Volume")
    ]
    assert [each["items"] for each in tiers] == [
        {"$ref": "#/components/schemas/TierPriceInput"} for _ in tiers
    ]
