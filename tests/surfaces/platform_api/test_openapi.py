"""Can the platform API be learned, and called, from its document alone?"""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from billwright.features.pricing.rules.models import PRICING_MODELS
from billwright.surfaces.platform_api import plans_models, test_clocks
from billwright.surfaces.platform_api.accounts import AccountInput
from billwright.surfaces.platform_api.app import create_platform_api
from billwright.surfaces.platform_api.payments import PaymentInput
from billwright.surfaces.platform_api.subscriptions_models import (
    CancellationInput,
    SubscriptionInput,
)

OPERATIONS = {
    ("/accounts", "get"): "list_accounts",
    ("/accounts", "post"): "create_account",
    ("/accounts/{account_id}", "get"): "get_account",
    ("/invoices", "get"): "list_invoices",
    ("/invoices/{invoice_id}", "get"): "get_invoice",
    ("/invoices/{invoice_id}/pdf", "get"): "get_invoice_pdf",
    ("/payments", "get"): "list_payments",
    ("/payments", "post"): "create_payment",
    ("/payments/{payment_id}", "get"): "get_payment",
    ("/plans", "get"): "list_plans",
    ("/plans", "post"): "create_plan",
    ("/plans/{plan_code}", "get"): "get_plan",
    ("/subscriptions", "get"): "list_subscriptions",
    ("/subscriptions", "post"): "create_subscription",
    ("/subscriptions/{subscription_id}", "get"): "get_subscription",
    ("/subscriptions/{subscription_id}/cancel", "post"): "cancel_subscription",
    ("/subscriptions/{subscription_id}/entitlements", "get"): "get_entitlements",
    ("/test-clocks", "get"): "list_test_clocks",
    ("/test-clocks", "post"): "create_test_clock",
    ("/test-clocks/{test_clock_id}", "get"): "get_test_clock",
    ("/test-clocks/{test_clock_id}/advance", "post"): "advance_test_clock",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_platform_api().openapi()


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (path, method): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_the_document_is_valid(document: dict[str, Any]):
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_operations_have_stable_names(document: dict[str, Any]):
    named = {place: one["operationId"] for place, one in operations(document).items()}
    assert named == OPERATIONS


def test_every_operation_is_explained(document: dict[str, Any]):
    tags = {tag["name"] for tag in document["tags"]}
    for place, operation in operations(document).items():
        assert operation["summary"], place
        assert set(operation["tags"]) <= tags, place
        assert {"401", "403", "422", "4XX", "5XX"} <= set(operation["responses"]), place
        parameters = [next(iter(one.values())) for one in operation.get("parameters", [])]
        assert "#/components/parameters/XTenant" in parameters, place
        keyed = "#/components/parameters/IdempotencyKey" in parameters
        assert keyed is (place[1] == "post"), place
        assert "title" in document["components"]["schemas"]["Problem"]["properties"]


def test_every_refusal_is_listed_where_it_may_happen(document: dict[str, Any]):
    responses = operations(document)["/subscriptions/{subscription_id}/cancel", "post"]["responses"]
    assert "`version_stale`" in responses["412"]["description"]
    assert "`state_forbids`" in responses["409"]["description"]
    assert "`subscription_unknown`" in responses["404"]["description"]
    assert "`scope_missing`" in responses["403"]["description"]


def test_callers_authenticate_by_bearer(document: dict[str, Any]):
    assert document["security"] == [{"api_key": []}]
    scheme = document["components"]["securitySchemes"]["api_key"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


def test_every_pricing_model_is_a_choice(document: dict[str, Any]):
    schemas = document["components"]["schemas"]
    for name in ["ComponentInput", "Component"]:
        items = schemas[name]["properties"]["prices"]["items"]
        assert set(items["discriminator"]["mapping"]) == set(PRICING_MODELS)
        assert len(items["oneOf"]) == len(PRICING_MODELS)


def test_every_schema_is_one_that_something_uses(document: dict[str, Any]):
    text = str(document)
    for name in document["components"]["schemas"]:
        assert f"#/components/schemas/{name}'" in text
    assert not {"BaseModel", "PricedInput"} & set(document["components"]["schemas"])
    assert "AccountPage" in document["components"]["schemas"]


@pytest.mark.parametrize(
    "model",
    [
        plans_models.PlanInput,
        AccountInput,
        SubscriptionInput,
        CancellationInput,
        PaymentInput,
        test_clocks.TestClockInput,
    ],
)
def test_every_example_is_a_request_that_is_accepted(model: Any):
    examples = model.model_json_schema()["examples"]
    assert examples
    for example in examples:
        model.model_validate(example)


def test_numbers_that_count_money_are_strings(document: dict[str, Any]):
    """Whole numbers may be JSON numbers; amounts, prices, rates and quantities may not."""
    for name, schema in document["components"]["schemas"].items():
        for member, property_schema in schema.get("properties", {}).items():
            assert "'number'" not in str(property_schema), (name, member)
