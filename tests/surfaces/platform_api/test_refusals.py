"""Is every wrong request refused by name and place, and does it leave nothing behind?"""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from tests.conftest import Tenant
from tests.surfaces.platform_api.requests import (
    ACCOUNT,
    PLAN,
    TEST_CLOCK,
    changed,
    created,
    plan_with,
    rows_of,
    subscribed,
)

NOBODY = "019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41"
PRICE = ("components", 0, "prices", 0, "price")
SUBSCRIPTION = {"account_id": NOBODY, "plan_code": "team"}
PAYMENT = {"invoice_id": NOBODY, "amount": {"amount": "1.00", "currency": "EUR"}}


def with_price(**members: Any) -> dict[str, Any]:
    return plan_with("components", 0, "prices", 0, to=members)


FLAT = {"model": "flat", "currency": "EUR", "price": "1"}

PLANS = [
    (plan_with("colour", to="red"), "/colour", "unknown_field"),
    (plan_with("code", to="a b"), "/code", "malformed"),
    (plan_with("code", to=""), "/code", "malformed"),
    (plan_with("code", to=7), "/code", "wrong_type"),
    (plan_with("name", to="x" * 256), "/name", "too_long"),
    (plan_with("name", to="a\x00b"), "/name", "control_character"),
    (plan_with("name", to="  "), "/name", "blank"),
    (plan_with("description", to="x" * 5001), "/description", "too_long"),
    (plan_with("description", to="\ud800"), "/description", "malformed"),
    (plan_with("interval", "unit", to="fortnight"), "/interval/unit", "unknown_choice"),
    (plan_with("interval", "count", to=0), "/interval", "interval_out_of_range"),
    (plan_with("interval", "count", to=10**30), "/interval", "interval_out_of_range"),
    (plan_with("interval", "count", to=1.5), "/interval/count", "wrong_type"),
    (plan_with("tax_category", to="none"), "", "tax_category_unknown"),
    (plan_with("components", to=[]), "/components", "too_short"),
    (plan_with("components", 0, "prices", to=[]), "/components/0/prices", "too_short"),
    (
        plan_with("components", 1, "code", to="base"),
        "/components/1/code",
        "component_code_repeated",
    ),
    (plan_with(*PRICE, to=29), "/components/0/prices/0/price", "decimal_text"),
    (plan_with(*PRICE, to="-1"), "/components/0/prices/0/price", "out_of_range"),
    (plan_with(*PRICE, to="1" * 13), "/components/0/prices/0/price", "out_of_range"),
    (plan_with(*PRICE, to="1e3"), "/components/0/prices/0/price", "decimal_text"),
    (with_price(**{**FLAT, "currency": "EURO"}), "/components/0/prices/0/currency", "malformed"),
    (
        with_price(**{**FLAT, "currency": "XXX"}),
        "/components/0/prices/0/currency",
        "currency_unknown",
    ),
    (with_price(**{**FLAT, "currency": "USD"}), "/components/0/prices", "price_currencies_differ"),
    (with_price(**{**FLAT, "model": "free"}), "/components/0/prices/0/model", "unknown_choice"),
    (with_price(currency="EUR", price="1"), "/components/0/prices/0/model", "required"),
    (plan_with("features", 1, "code", to="sso"), "/features/1/code", "feature_code_repeated"),
    (plan_with("features", 0, "value", to="yes"), "/features/0/value", "feature_value_invalid"),
    (plan_with("features", 2, "value", to="-1"), "/features/2/value", "feature_value_invalid"),
    (plan_with("metadata", to={"a\x00": "b"}), "/metadata/a\x00", "control_character"),
    (plan_with("metadata", to={str(n): "" for n in range(51)}), "/metadata", "too_long"),
]
ACCOUNTS = [
    (changed(ACCOUNT, "id", to=NOBODY), "/id", "unknown_field"),
    (changed(ACCOUNT, "email", to="nobody"), "/email", "malformed"),
    (changed(ACCOUNT, "email", to="a@b\nBcc: c@d"), "/email", "malformed"),
    (changed(ACCOUNT, "currency", to="XXX"), "/currency", "currency_unknown"),
    (changed(ACCOUNT, "zone", to="Mars/Olympus"), "/zone", "zone_unknown"),
    (changed(ACCOUNT, "locale", to="de_DE"), "/locale", "malformed"),
    (changed(ACCOUNT, "payment_terms_days", to=366), "/payment_terms_days", "out_of_range"),
    (changed(ACCOUNT, "payment_terms_days", to="14"), "/payment_terms_days", "wrong_type"),
    (changed(ACCOUNT, "customer_type", to="robot"), "/customer_type", "unknown_choice"),
    (changed(ACCOUNT, "address", to={"country": "de"}), "/address/country", "malformed"),
    (changed(ACCOUNT, "address", to={"planet": "Mars"}), "/address/planet", "unknown_field"),
    (changed(ACCOUNT, "test_clock_id", to=NOBODY), "/test_clock_id", "test_clock_unknown_here"),
    (changed(ACCOUNT, "test_clock_id", to="x"), "/test_clock_id", "malformed"),
    ({}, "/name", "required"),
]
SUBSCRIPTIONS = [
    (SUBSCRIPTION, "/account_id", "account_unknown_here"),
    (changed(SUBSCRIPTION, "plan_code", to=None), "/plan_code", "wrong_type"),
    (changed(SUBSCRIPTION, "quantities", to={"seats": 3}), "/quantities/seats", "decimal_text"),
    (changed(SUBSCRIPTION, "quantities", to={"seats": "-3"}), "/quantities/seats", "out_of_range"),
    (
        changed(SUBSCRIPTION, "quantities", to={"seats": "0.1234567"}),
        "/quantities/seats",
        "out_of_range",
    ),
    (changed(SUBSCRIPTION, "state", to="active"), "/state", "unknown_field"),
]
PAYMENTS = [
    (PAYMENT, "/invoice_id", "invoice_unknown_here"),
    (changed(PAYMENT, "provider", to="nobody"), "/provider", "provider_unknown"),
    (changed(PAYMENT, "amount", "amount", to="0.001"), "/amount", "amount_too_fine"),
    (changed(PAYMENT, "amount", "amount", to=1), "/amount/amount", "decimal_text"),
    (changed(PAYMENT, "received_on", to="2026-02-30"), "/received_on", "date"),
]
TEST_CLOCKS = [
    (changed(TEST_CLOCK, "now", to="2026-01-31T08:30:00"), "/now", "instant"),
    (changed(TEST_CLOCK, "now", to=1769848200), "/now", "instant"),
]
WRONG = [
    (path, *case)
    for path, cases in [
        ("/plans", PLANS),
        ("/accounts", ACCOUNTS),
        ("/subscriptions", SUBSCRIPTIONS),
        ("/payments", PAYMENTS),
        ("/test-clocks", TEST_CLOCKS),
    ]
    for case in cases
]


@pytest.mark.parametrize(
    ("path", "body", "pointer", "code"),
    WRONG,
    ids=[f"{path[1:]}-{pointer}-{code}" for path, _, pointer, code in WRONG],
)
async def test_a_wrong_request_is_refused_and_leaves_nothing(
    client: httpx2.AsyncClient,
    tenant: Tenant,
    path: str,
    body: dict[str, Any],
    pointer: str,
    code: str,
):
    before = await rows_of(tenant)
    # With every character escaped, half of a surrogate pair can be sent too.
    headers = {"Idempotency-Key": "wrong", "Content-Type": "application/json"}
    response = await client.post(path, content=json.dumps(body), headers=headers)
    problem = response.json()
    assert response.status_code == 422, problem
    assert response.headers["content-type"] == "application/problem+json"
    if pointer:
        assert [(one["pointer"], one["code"]) for one in problem["errors"]] == [(pointer, code)]
    else:
        assert problem["code"] == code
    assert await rows_of(tenant) == before


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"plan_code": "nothing"}, "/plan_code", "plan_unknown_here"),
        ({"currency": "USD"}, "/currency", "currency_not_sold"),
        ({"quantities": {"rooms": "1"}}, "/quantities/rooms", "component_unknown"),
    ],
)
async def test_a_subscription_that_does_not_fit_its_plan_is_refused(
    client: httpx2.AsyncClient, tenant: Tenant, changes: dict[str, Any], pointer: str, code: str
):
    await created(client, "/plans", PLAN)
    account = await created(client, "/accounts", ACCOUNT)
    before = await rows_of(tenant)
    body = {"account_id": account["id"], "plan_code": "team", **changes}
    response = await client.post("/subscriptions", json=body)
    assert response.status_code == 422
    assert [(e["pointer"], e["code"]) for e in response.json()["errors"]] == [(pointer, code)]
    assert await rows_of(tenant) == before


async def test_what_is_named_by_the_caller_is_named_once(
    client: httpx2.AsyncClient, tenant: Tenant
):
    subscription = await subscribed(client, external_id="one")
    await created(client, "/accounts", {**ACCOUNT, "external_id": "one"})
    before = await rows_of(tenant)
    again = {
        "/plans": (PLAN, "plan_code_taken"),
        "/accounts": ({**ACCOUNT, "external_id": "one"}, "external_id_taken"),
        "/subscriptions": (
            {
                "account_id": subscription["account_id"],
                "plan_code": "team",
                "external_id": "one",
            },
            "subscription_external_id_taken",
        ),
    }
    for path, (body, code) in again.items():
        response = await client.post(path, json=body)
        assert (response.status_code, response.json()["code"]) == (409, code)
    assert await rows_of(tenant) == before


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/accounts/{NOBODY}", "account_unknown"),
        ("/plans/nothing", "plan_unknown"),
        ("/plans/%C3%A9%2Fx", "route_not_found"),
        (f"/subscriptions/{NOBODY}", "subscription_unknown"),
        (f"/subscriptions/{NOBODY}/entitlements", "subscription_unknown"),
        (f"/invoices/{NOBODY}", "invoice_unknown"),
        (f"/invoices/{NOBODY}/pdf", "invoice_unknown"),
        (f"/payments/{NOBODY}", "payment_unknown"),
        (f"/test-clocks/{NOBODY}", "test_clock_unknown"),
        ("/nothing", "route_not_found"),
        ("/accounts/", "route_not_found"),
    ],
)
async def test_what_is_not_there_is_not_found(client: httpx2.AsyncClient, path: str, code: str):
    response = await client.get(path)
    assert (response.status_code, response.json()["code"]) == (404, code)


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/17",
        "/subscriptions/17",
        "/subscriptions/17/entitlements",
        "/invoices/17",
        "/invoices/17/pdf",
        "/payments/17",
        "/test-clocks/17",
    ],
)
async def test_an_id_that_is_no_uuid_is_malformed(client: httpx2.AsyncClient, path: str):
    response = await client.get(path)
    assert (response.status_code, response.json()["code"]) == (422, "request_invalid")
    (error,) = response.json()["errors"]
    assert (error["in"], error["code"], error["detail"]) == ("path", "malformed", "Must be a UUID.")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=many",
        "cursor=nonsense",
        "state=nowhere",
        "account_id=17",
        "cursor=%00",
    ],
)
async def test_a_wrong_question_is_refused(client: httpx2.AsyncClient, query: str):
    response = await client.get(f"/invoices?{query}")
    assert response.status_code == 422


async def test_other_methods_are_refused(client: httpx2.AsyncClient):
    response = await client.delete(f"/subscriptions/{NOBODY}/entitlements")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")
    response = await client.delete("/accounts")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 422), (b"[" * 50_000, 400), (b"\xff", 400), (b"", 422)],
)
async def test_a_body_that_is_no_object_is_refused(
    client: httpx2.AsyncClient, tenant: Tenant, body: bytes, status: int
):
    before = await rows_of(tenant)
    headers = {"Content-Type": "application/json"}
    response = await client.post("/accounts", content=body, headers=headers)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert await rows_of(tenant) == before
