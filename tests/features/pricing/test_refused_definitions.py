"""Which price definitions are refused, and where is what is wrong with them?"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.pricing.rules.pricing import pricing_of
from billwright.kernel.refusal import Category, Refusal

TIERED = ("graduated", "volume")
OPEN = {"up_to": None, "unit_price": "1"}


def refused(definition: dict[str, Any]) -> str:
    """Where the definition is wrong."""
    with pytest.raises(Refusal) as refusal:
        pricing_of(definition)
    assert refusal.value.code == "pricing_invalid"
    assert refusal.value.category is Category.INVALID
    (problem,) = refusal.value.problems
    assert problem.pointer in problem.detail
    return problem.pointer


def up_to(bound: str | None) -> dict[str, Any]:
    return {"up_to": bound, "unit_price": "1", "flat_price": "0"}


@pytest.mark.parametrize(
    "definition",
    [
        {"model": "flat"},
        {"model": "flat", "price": "one"},
        {"model": "flat", "price": None},
        {"model": "per_unit", "price": []},
        {"model": "package", "price": "1"},
        {"model": "cost_plus", "margin_percent": "10"},
        {"model": "graduated"},
        {"model": "graduated", "tiers": None},
        {"model": "graduated", "tiers": [{"up_to": None}]},
        {"model": "volume", "tiers": [{"unit_price": "1"}]},
        {"model": "stairstep", "tiers": [{"up_to": None, "unit_price": "1"}]},
    ],
)
def test_what_has_not_the_form_of_a_price(definition):
    assert refused(definition) == ""


@pytest.mark.parametrize("model", [None, "", "tiered", 1, [], {}])
def test_an_unknown_model(model):
    with pytest.raises(Refusal) as refusal:
        pricing_of({"model": model, "price": "1"})
    assert [problem.pointer for problem in refusal.value.problems] == ["/model"]
    assert (
        "cost_plus, flat, graduated, package, per_unit, stairstep, volume" in refusal.value.detail
    )


def test_no_model():
    with pytest.raises(Refusal):
        pricing_of({})


@pytest.mark.parametrize(
    "number", ["-0.01", "NaN", "Infinity", "1000000000000", "1E+12", "0.0000000000001"]
)
def test_a_price_that_is_negative_too_large_or_too_fine(number):
    for model in ("flat", "per_unit"):
        assert refused({"model": model, "price": number}) == "/price"
    assert refused({"model": "package", "price": number, "package_size": "1"}) == "/price"
    for member in ("base", "margin_percent", "margin_fixed"):
        assert refused({"model": "cost_plus", "base": "1", member: number}) == f"/{member}"
    for model in TIERED:
        tier = {**OPEN, "unit_price": number}
        assert refused({"model": model, "tiers": [tier]}) == "/tiers/0/unit_price"
        tiers = [up_to("1"), {**OPEN, "flat_price": number}]
        assert refused({"model": model, "tiers": tiers}) == "/tiers/1/flat_price"
    step = {"up_to": None, "flat_price": number}
    assert refused({"model": "stairstep", "tiers": [step]}) == "/tiers/0/flat_price"


@pytest.mark.parametrize("number", ["-1", "NaN", "Infinity", "100000000000000", "0.0000001"])
def test_a_quantity_that_is_negative_too_large_or_too_fine(number):
    package = {"model": "package", "price": "1", "package_size": "1"}
    assert refused({**package, "package_size": number}) == "/package_size"
    assert refused({**package, "free_units": number}) == "/free_units"
    for model in TIERED:
        assert refused({"model": model, "tiers": [up_to(number), OPEN]}) == "/tiers/0/up_to"


def test_the_largest_and_the_finest_numbers_are_accepted():
    assert pricing_of({"model": "flat", "price": "999999999999.999999999999"}).amount(Decimal(1))
    assert pricing_of({"model": "per_unit", "price": "0.000000000001"}).amount(Decimal(1))
    bound = "99999999999999.999999"
    graduated = pricing_of({"model": "graduated", "tiers": [up_to(bound), up_to(None)]})
    assert graduated.amount(Decimal(bound)) == Fraction(bound)


def test_a_package_of_nothing():
    definition = {"model": "package", "price": "1", "package_size": "0.0"}
    assert refused(definition) == "/package_size"


@pytest.mark.parametrize("model", TIERED)
@pytest.mark.parametrize(
    ("bounds", "pointer"),
    [
        ([], "/tiers"),
        ([str(bound) for bound in range(1, 101)] + [None], "/tiers"),
        (["0", None], "/tiers/0/up_to"),
        (["10"], "/tiers/0/up_to"),
        (["10", "20"], "/tiers/1/up_to"),
        ([None, None], "/tiers/0/up_to"),
        ([None, "10"], "/tiers/0/up_to"),
        (["10", "10.0", None], "/tiers/1/up_to"),
        (["10", "9", None], "/tiers/1/up_to"),
    ],
)
def test_tiers_that_are_not_in_order_or_leave_a_quantity_out(model, bounds, pointer):
    assert refused({"model": model, "tiers": [up_to(bound) for bound in bounds]}) == pointer
    steps = [{"up_to": bound, "flat_price": "1"} for bound in bounds]
    assert refused({"model": "stairstep", "tiers": steps}) == pointer


def test_a_hundred_tiers_are_accepted():
    bounds = [*map(str, range(1, 100)), None]
    pricing = pricing_of({"model": "graduated", "tiers": [up_to(bound) for bound in bounds]})
    assert pricing.amount(Decimal(200)) == 200


def test_a_definition_that_is_wrong_cannot_be_made_either():
    with pytest.raises(Refusal):
        PerUnit(price=Decimal(-1))
