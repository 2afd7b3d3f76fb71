"""Is money booked once, and does the answer say how the payment stands?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import (
    Capability,
    Checkout,
    CheckoutRequest,
    CollectRequest,
    OutcomeUnknown,
    PaymentProvider,
    PaymentProviders,
    ProviderAnswer,
    ProviderUnavailable,
)
from tests.conftest import Tenant
from tests.surfaces.platform_api.requests import created, got, invoice_ids_of, rows_of, subscribed


class Scripted(PaymentProvider):
    """A provider that answers as the test says; what it was asked is kept."""

    name = "scripted"
    capabilities = frozenset({Capability.COLLECT, Capability.CHECKOUT})
    remembers_keys_for: timedelta | None = None

    def __init__(self) -> None:
        self.asked: list[CollectRequest] = []
        self.was_asked = asyncio.Event()
        self.says: ProviderAnswer | Exception = ProviderAnswer(AttemptState.SUCCEEDED, "ref")
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def collect(self, request: CollectRequest) -> ProviderAnswer:
        self.asked.append(request)
        self.was_asked.set()
        await self.may_answer.wait()
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    async def find(self, provider_key: str) -> ProviderAnswer | None:
        return None

    async def open_checkout(self, request: CheckoutRequest) -> Checkout:
        return Checkout("page", f"https://pay.example/{request.provider_key}", request.expires_at)

    async def withdraw(self, reference: str) -> bool:
        return True


@pytest.fixture
def provider(application: FastAPI) -> Scripted:
    scripted = Scripted()
    wiring = application.state.wiring
    providers = PaymentProviders({**wiring.payment_providers, "scripted": scripted})
    application.state.wiring = replace(wiring, payment_providers=providers)
    return scripted


async def an_order(client: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    """A payment of 69.85 EUR, all that is due on a new invoice."""
    (invoice_id,) = invoice_ids_of(await subscribed(client))
    amount = {"amount": "69.85", "currency": "EUR"}
    return {"invoice_id": invoice_id, "amount": amount, "provider": "scripted", **changes}


async def test_a_manual_payment_in_parts(client: httpx2.AsyncClient):
    body = await an_order(client, provider="manual", received_on="2026-01-20", method="cash")
    part = {**body, "amount": {"amount": "0.85", "currency": "EUR"}}
    first = await created(client, "/payments", part)
    assert (first["method"], first["received_on"]) == ("cash", "2026-01-20")
    invoice = await got(client, f"/invoices/{body['invoice_id']}")
    assert (invoice["state"], invoice["due"]["amount"]) == ("partially_paid", "69.00")

    rest = {**body, "amount": invoice["due"], "reference": "the rest"}
    second = await created(client, "/payments", rest)
    assert second["unapplied"]["amount"] == "0.00"
    assert second["attempts"][0]["provider_reference"] == "the rest"
    assert await got(client, f"/payments/{second['id']}") == second
    assert (await got(client, f"/invoices/{body['invoice_id']}"))["state"] == "paid"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"amount": {"amount": "69.86", "currency": "EUR"}}, 422, "amount_above_due"),
        ({"amount": {"amount": "0.00", "currency": "EUR"}}, 422, "amount_not_positive"),
        ({"amount": {"amount": "-1.00", "currency": "EUR"}}, 422, "amount_not_positive"),
        ({"amount": {"amount": "69.85", "currency": "USD"}}, 422, "currency_mismatch"),
    ],
)
async def test_money_that_does_not_fit_the_invoice_is_refused(
    client: httpx2.AsyncClient,
    tenant: Tenant,
    provider: Scripted,
    changes: dict[str, Any],
    status: int,
    code: str,
):
    body = await an_order(client, **changes)
    before = await rows_of(tenant)
    response = await client.post("/payments", json=body)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert await rows_of(tenant) == before
    assert provider.asked == []


async def test_a_paid_invoice_takes_no_more(client: httpx2.AsyncClient, provider: Scripted):
    body = await an_order(client)
    await created(client, "/payments", body)
    response = await client.post("/payments", json=body)
    assert (response.status_code, response.json()["code"]) == (409, "invoice_not_payable")
    assert len(provider.asked) == 1


@pytest.mark.parametrize(
    ("says", "payment", "attempt"),
    [
        (ProviderAnswer(AttemptState.PROCESSING), "pending", "processing"),
        (ProviderAnswer(AttemptState.DECLINED, None, "card_expired"), "failed", "declined"),
        (ProviderUnavailable(), "failed", "not_attempted"),
        (OutcomeUnknown(), "pending", "unknown"),
    ],
)
async def test_whatever_the_provider_says_is_told(
    client: httpx2.AsyncClient,
    provider: Scripted,
    says: ProviderAnswer | Exception,
    payment: str,
    attempt: str,
):
    provider.says = says
    body = await an_order(client)
    made = await created(client, "/payments", body)
    assert (made["state"], made["attempts"][0]["state"]) == (payment, attempt)
    invoice = await got(client, f"/invoices/{body['invoice_id']}")
    assert (invoice["state"], invoice["paid"]["amount"]) == ("open", "0.00")


async def test_a_repetition_asks_nobody_and_tells_how_it_stands_now(
    client: httpx2.AsyncClient, provider: Scripted
):
    """The first request waits for its provider while the second arrives."""
    body, key = await an_order(client), {"Idempotency-Key": "one"}
    provider.may_answer.clear()
    first = asyncio.create_task(client.post("/payments", json=body, headers=key))
    await provider.was_asked.wait()
    second = await client.post("/payments", json=body, headers=key)
    assert (second.status_code, second.json()["state"]) == (201, "pending")
    assert second.headers["Idempotent-Replayed"] == "true"

    provider.may_answer.set()
    assert (await first).json()["state"] == "succeeded"
    third = await client.post("/payments", json=body, headers=key)
    assert third.json() == (await first).json()
    assert len(provider.asked) == 1


async def test_one_payment_of_an_invoice_is_on_its_way_at_a_time(
    client: httpx2.AsyncClient, provider: Scripted
):
    body = await an_order(client)
    provider.says = OutcomeUnknown()
    await created(client, "/payments", body)
    response = await client.post("/payments", json=body)
    assert (response.status_code, response.json()["code"]) == (409, "payment_in_progress")


async def test_money_that_was_seen_may_be_more_than_is_due(client: httpx2.AsyncClient):
    """100.00 for 69.85 leave 30.15 of credit, and 5.00 more are all credit."""
    body = await an_order(client, provider="manual")
    more = {**body, "amount": {"amount": "100.00", "currency": "EUR"}}
    first = await created(client, "/payments", more)
    assert [first[name]["amount"] for name in ("captured", "unapplied")] == ["100.00", "30.15"]
    late = {**body, "amount": {"amount": "5.00", "currency": "EUR"}}
    second = await created(client, "/payments", late)
    assert second["unapplied"]["amount"] == "5.00"
    credit = await got(client, f"/accounts/{first['account_id']}/credit")
    assert [each["amount"] for each in credit["balances"]] == ["35.15"]


PAGE = {"success_url": "https://app.example/thanks", "cancel_url": "https://app.example/"}


async def test_a_page_is_opened_shown_again_and_canceled(
    client: httpx2.AsyncClient, provider: Scripted
):
    invoice_id = (await an_order(client))["invoice_id"]
    key = {"Idempotency-Key": "one"}
    route = f"/invoices/{invoice_id}/payment-page"
    first = await client.post(route, json=PAGE, headers=key)
    again = await client.post(route, json=PAGE, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json() == (await client.post(route, json=PAGE)).json()
    assert again.headers["Idempotent-Replayed"] == "true"
    page = first.json()
    assert page["url"].startswith("https://pay.example/attempt:")
    payment = page["payment"]
    assert (payment["origin"], payment["attempts"][0]["channel"]) == ("page", "page")
    # The address is for the payer alone, so that nothing but this answer has it.
    assert "pay.example" not in (await client.get(f"/payments/{payment['id']}")).text

    canceled = await client.post(f"/payments/{payment['id']}/cancel")
    assert (canceled.status_code, canceled.json()["state"]) == (200, "canceled")


async def test_a_page_makes_way_for_a_payment(client: httpx2.AsyncClient, provider: Scripted):
    body = await an_order(client)
    page = await created(client, f"/invoices/{body['invoice_id']}/payment-page", PAGE)
    paid = await created(client, "/payments", body)
    assert (paid["state"], paid["origin"]) == ("succeeded", "requested")
    left = await got(client, f"/payments/{page['payment']['id']}")
    assert (left["state"], left["attempts"][0]["failure_code"]) == ("canceled", "page_closed")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"success_url": "http://app.example/"}, "redirect_url_invalid"),
        ({"cancel_url": "javascript:alert(1)"}, "redirect_url_invalid"),
        ({"provider": "nobody"}, "provider_unknown"),
        ({"provider": "manual"}, "provider_incapable"),
    ],
)
async def test_a_page_that_cannot_be_is_refused(
    client: httpx2.AsyncClient, provider: Scripted, changes: dict[str, Any], code: str
):
    invoice_id = (await an_order(client))["invoice_id"]
    response = await client.post(f"/invoices/{invoice_id}/payment-page", json={**PAGE, **changes})
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert (await got(client, "/payments"))["data"] == []


async def test_what_became_of_a_payment_is_said_once_and_only_where_nobody_else_can(
    client: httpx2.AsyncClient, provider: Scripted
):
    provider.says = OutcomeUnknown()
    payment = await created(client, "/payments", await an_order(client))
    route, body = f"/payments/{payment['id']}/conclude", {"outcome": "succeeded", "note": "seen"}
    concluded = await client.post(route, json=body)
    assert (concluded.status_code, concluded.json()["state"]) == (200, "succeeded")
    again = await client.post(route, json=body)
    assert (again.status_code, again.json()["code"]) == (409, "outcome_known")
    refused = await client.post(f"/payments/{payment['id']}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (409, "payment_not_cancelable")


async def test_another_tenant_neither_cancels_nor_concludes(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient, provider: Scripted
):
    body = await an_order(client)
    page = await created(client, f"/invoices/{body['invoice_id']}/payment-page", PAGE)
    payment_id = page["payment"]["id"]
    for response in (
        await other_client.post(f"/payments/{payment_id}/cancel"),
        await other_client.post(
            f"/payments/{payment_id}/conclude", json={"outcome": "declined", "note": "no"}
        ),
        await other_client.post(f"/invoices/{body['invoice_id']}/payment-page", json=PAGE),
    ):
        assert response.status_code == 404
