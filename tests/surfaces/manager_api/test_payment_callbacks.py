"""Does the manager contract's address take what Stripe signs?"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest_asyncio
from fastapi import FastAPI
from stripe import WebhookSignature

from billwright.features.payment_providers.port import PaymentProviders
from billwright.providers.document.typst.renderer import TypstInvoiceRenderer
from billwright.providers.payment.stripe.provider import StripeProvider
from billwright.runtime.settings import load_settings
from billwright.runtime.telemetry.metrics import Metrics
from billwright.surfaces.manager_api.app import create_manager_api
from billwright.surfaces.web.wiring import Wiring
from tests.conftest import BOX, NOON
from tests.features.callbacks.calling import kept
from tests.providers.fake_stripe import FakeStripe

PATH = "/webhooks/payments/stripe"
SECRET = "whsec_manager"


@pytest_asyncio.fixture
async def application(tmp_path, database) -> FastAPI:
    app = create_manager_api()
    app.state.settings = load_settings({"BILLWRIGHT_HOME": str(tmp_path)})
    stripe = StripeProvider("sk_test_fake", callback_secrets=[SECRET])
    app.state.wiring = Wiring(
        database=database,
        metrics=Metrics(),
        invoice_renderer=TypstInvoiceRenderer(),
        payment_providers=PaymentProviders({"stripe": stripe}),
        secret_box=BOX,
    )
    return app


@pytest_asyncio.fixture
async def stripe(application) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=application, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://billing") as client:
        yield client


def an_event() -> bytes:
    event: dict[str, Any] = FakeStripe().event("customer.created", {"id": "cus_1"})
    return json.dumps(event, indent=2).encode()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    header = WebhookSignature.generate_signature_header(
        body.decode(), secret, timestamp=int(NOON.timestamp())
    )
    return {"Stripe-Signature": header, "Content-Type": "application/json"}


async def test_what_stripe_signs_is_taken_once_and_needs_no_tenant(stripe, tenant):
    body = an_event()
    for _ in range(2):
        answer = await stripe.post(PATH, content=body, headers={**signed(body), "X-Tenant": "no"})
        assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert [callback.type for callback in await kept(tenant)] == ["customer.created"]


async def test_what_somebody_else_signs_is_refused(stripe, tenant):
    body = an_event()
    answer = await stripe.post(PATH, content=body, headers=signed(body, "whsec_other"))
    assert (answer.status_code, answer.json()["error"]) == (400, "Bad Request")
    assert "cus_1" not in answer.text
    assert await kept(tenant) == []


async def test_a_body_is_bounded(stripe, tenant):
    answer = await stripe.post(PATH, content=b" " * (64 * 1024 + 1))
    assert answer.status_code == 413


async def test_without_a_stripe_account_there_is_nothing_to_tell(stripe, application, tenant):
    application.state.wiring.payment_providers.clear()
    answer = await stripe.post(PATH, content=b"{}")
    assert answer.status_code == 404


async def test_no_other_provider_has_an_address_here(stripe, tenant):
    assert (await stripe.post("/webhooks/payments/sandbox", content=b"{}")).status_code == 404
