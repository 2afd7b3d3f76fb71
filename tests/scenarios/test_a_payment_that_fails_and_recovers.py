"""Does a failed payment go its published way, over HTTP and with real signatures, and back?

The callback is validated and deduplicated, the failure is recorded, a message is requested, access
changes as the policy says; a later payment restores it with the same commit.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest_asyncio

from billwright.features.payments.port import PaymentProviders
from billwright.providers.document.typst.renderer import TypstInvoiceRenderer
from billwright.providers.payment import discover
from billwright.runtime.clock import FixedClock
from billwright.runtime.queue.registry import Registry
from billwright.runtime.secrets import SecretBox
from billwright.runtime.telemetry.metrics import Metrics
from billwright.surfaces.platform_api.app import create_platform_api
from billwright.surfaces.web.wiring import Wiring
from tests.conftest import BOX, Tenant
from tests.faults.payments.jobs import run_jobs
from tests.providers.conformance.rigs import SECRETS, FakeStripeRig
from tests.providers.fake_stripe_server import fake_stripe
from tests.surfaces.platform_api.conftest import client_of, key_of
from tests.surfaces.platform_api.requests import ACCOUNT, PLAN, created, got

POLICY = {
    "schedule": ["P3D", "P4D"],
    "entitlement_steps": [
        {"after": "P0D", "effect": "degrade", "features": ["sso"]},
        {"after": "P2D", "effect": "read_only"},
    ],
}
BACK = {"success_url": "https://shop.example/yes", "cancel_url": "https://shop.example/no"}


@dataclass(slots=True)
class Shop:
    """A seller's platform, its account at Stripe, and the worker."""

    client: httpx2.AsyncClient
    stranger: httpx2.AsyncClient
    rig: FakeStripeRig
    tenant: Tenant
    clock: FixedClock
    registry: Registry
    providers: PaymentProviders

    def passes(self, time: timedelta = timedelta()) -> None:
        """Time, here and at Stripe."""
        self.clock.move_to(self.clock.now() + time)
        stripe = self.rig.server.stripe
        stripe.later += int(self.clock.now().timestamp()) - stripe.now

    async def told(self, *, times: int = 1) -> None:
        """Stripe delivers what it has to tell, each so many times."""
        for body in self.rig.happened() * times:
            headers = self.rig.sign(body, secret=SECRETS[0], at=self.clock.now())
            answer = await self.stranger.post(
                "/providers/stripe/callbacks", content=body, headers=headers
            )
            assert (answer.status_code, answer.json()) == (200, {"received": True})

    async def works(self, *sweeps: str) -> None:
        """The worker takes what is due and what it was asked for."""
        providers = {PaymentProviders: self.providers, SecretBox: BOX}
        work = replace(self.tenant.work(), providers=providers)
        for sweep in self.registry.sweeps:
            if sweep.name in sweeps:
                await sweep.run(work)
        await run_jobs(work, self.registry)

    async def access(self, subscription: dict[str, Any]) -> tuple[str, dict[str, bool]]:
        found = await got(self.client, f"/subscriptions/{subscription['id']}/entitlements")
        return found["access"], {one["feature"]: one["allowed"] for one in found["features"]}

    async def asked_for(self) -> list[str]:
        """Which messages to people were requested, in their order."""
        async with self.tenant.tx() as tx:
            rows = await tx.fetch("select type from notification_request order by id")
        return [row["type"] for row in rows]


@pytest_asyncio.fixture
async def shop(tenant: Tenant, clock: FixedClock, registry: Registry) -> AsyncIterator[Shop]:
    async with fake_stripe() as server:
        rig = FakeStripeRig(server)
        providers = PaymentProviders({**discover(), "stripe": rig.provider})
        application = create_platform_api()
        application.state.wiring = Wiring(
            database=tenant.database,
            metrics=Metrics(),
            invoice_renderer=TypstInvoiceRenderer(),
            payment_providers=providers,
            secret_box=BOX,
        )
        async with (
            client_of(application, await key_of(tenant)) as client,
            client_of(application) as stranger,
        ):
            shop = Shop(client, stranger, rig, tenant, clock, registry, providers)
            shop.passes()
            yield shop


async def test_a_direct_debit_comes_back_and_a_card_mends_it(shop: Shop):
    subscription, invoice_id = await sold_with_direct_debit(shop)
    await the_debit_comes_back(shop, subscription)
    await nothing_comes_twice(shop)
    await access_shrinks_with_time(shop, subscription)
    await a_payment_restores_everything(shop, subscription, invoice_id=invoice_id)


async def sold_with_direct_debit(shop: Shop) -> tuple[dict[str, Any], str]:
    answer = await shop.client.put("/dunning-policy", json=POLICY)
    assert answer.status_code == 200, answer.text
    await created(shop.client, "/plans", PLAN)
    account = await created(
        shop.client,
        "/accounts",
        {**ACCOUNT, "payment_terms_days": 0, "email": "books@river.example"},
    )
    await created(shop.client, f"/accounts/{account['id']}/payment-methods/setup", BACK)
    [page] = shop.rig.server.stripe.of("checkout.session")
    shop.rig.server.stripe.pay_page(page["id"], "pm_sepa")
    await shop.told()
    methods = await got(shop.client, f"/accounts/{account['id']}/payment-methods")
    assert [(one["kind"], one["is_default"]) for one in methods["data"]] == [("sepa_debit", True)]
    subscription = await created(
        shop.client,
        "/subscriptions",
        {"account_id": account["id"], "plan_code": "team", "quantities": {"seats": "3"}},
    )
    await shop.works("collect_due_invoices")
    [payment] = (await got(shop.client, "/payments"))["data"]
    assert (payment["state"], payment["amount"]["amount"]) == ("pending", "69.85")
    return subscription, payment["invoice_id"]


async def the_debit_comes_back(shop: Shop, subscription: dict[str, Any]) -> None:
    """Days later, by a callback, which is delivered twice."""
    shop.passes(timedelta(days=2))
    assert (await shop.access(subscription))[0] == "full"  # on its way: nobody is pursued
    [intent] = shop.rig.server.stripe.of("payment_intent")
    shop.rig.server.stripe.settle(intent["id"], failure="insufficient_funds")
    await shop.told(times=2)
    [payment] = (await got(shop.client, "/payments"))["data"]
    assert payment["state"] == "failed"
    assert (await got(shop.client, f"/subscriptions/{subscription['id']}"))["state"] == "past_due"
    [failure] = (await got(shop.client, "/payment-failures"))["data"]
    assert (failure["state"], failure["step"]) == ("open", 0)
    access, allowed = await shop.access(subscription)
    assert (access, allowed["sso"], allowed["api_calls"]) == ("degraded", False, True)


async def nothing_comes_twice(shop: Shop) -> None:
    callbacks = (await got(shop.client, "/provider-callbacks"))["data"]
    assert len({one["event_id"] for one in callbacks}) == len(callbacks)
    assert {one["state"] for one in callbacks} <= {"handled", "ignored"}
    forged = b'{"id": "evt_forged", "type": "payment_intent.succeeded"}'
    headers = shop.rig.sign(forged, secret="whsec_of_somebody_else", at=shop.clock.now())
    answer = await shop.stranger.post(
        "/providers/stripe/callbacks", content=forged, headers=headers
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "callback_invalid")


async def access_shrinks_with_time(shop: Shop, subscription: dict[str, Any]) -> None:
    await shop.works("take_due_dunning_steps")
    assert "dunning.payment_missing" in await shop.asked_for()
    shop.passes(timedelta(days=2))
    await shop.works("take_due_dunning_steps")
    access, allowed = await shop.access(subscription)
    assert (access, allowed["api_calls"]) == ("read_only", False)


async def a_payment_restores_everything(
    shop: Shop, subscription: dict[str, Any], *, invoice_id: str
) -> None:
    """The customer pays on a page with a card; nothing but the callback comes in between."""
    await created(
        shop.client, f"/invoices/{invoice_id}/payment-page", {**BACK, "saves_method": True}
    )
    page = shop.rig.server.stripe.of("checkout.session")[0]
    shop.rig.server.stripe.pay_page(page["id"], "pm_visa")
    await shop.told()
    assert (await got(shop.client, f"/invoices/{invoice_id}"))["state"] == "paid"
    assert (await got(shop.client, f"/subscriptions/{subscription['id']}"))["state"] == "active"
    assert await shop.access(subscription) == (
        "full",
        {"api_calls": True, "region": True, "sso": True},
    )
    [failure] = (await got(shop.client, "/payment-failures"))["data"]
    assert failure["state"] == "recovered"
    assert shop.rig.server.stripe.taken == 6985
    await shop.works()
    asked_for = await shop.asked_for()
    assert asked_for.count("dunning.payment_missing") == 1
    assert asked_for.index("dunning.payment_missing") < asked_for.index("payment.succeeded")
