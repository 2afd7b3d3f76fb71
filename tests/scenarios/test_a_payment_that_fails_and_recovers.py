"""Does a failed payment go its published way, over HTTP and with real signatures, and back?

The callback is validated and deduplicated, the failure is recorded, a message is requested, access
changes as the policy says; a later payment restores it with the same commit. The seller's platform is
told of it by webhooks, and the Notification service is asked for the messages, each in their order.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest_asyncio

from billwright.features.notifications.jobs import deliver_due_requests
from billwright.features.notifications.operations.console_link import ConsoleLinks
from billwright.features.notifications.port import MailChannel, Notifier
from billwright.features.payment_providers.port import PaymentProviders
from billwright.features.payments.operations.pay_link import PayLinks
from billwright.features.webhooks.model import TargetPolicy
from billwright.features.webhooks.port import WebhookSender
from billwright.providers.document.typst.renderer import TypstInvoiceRenderer
from billwright.providers.notification.http_api import HttpNotifier
from billwright.providers.payment import discover
from billwright.providers.webhook.https import HttpsSender
from billwright.runtime.clock import FixedClock
from billwright.runtime.queue.registry import Registry
from billwright.runtime.secrets import SecretBox
from billwright.runtime.telemetry.metrics import Metrics
from billwright.surfaces.platform_api.app import create_platform_api
from billwright.surfaces.web.wiring import Wiring
from tests.conftest import BOX, Tenant
from tests.faults.payments.jobs import run_jobs
from tests.features.notifications.requesting import CONSOLE_LINKS, PAY_LINKS, wired
from tests.providers.conformance.rigs import SECRETS, FakeStripeRig
from tests.providers.fake_stripe_server import fake_stripe
from tests.providers.webhook.receiving import Receiver, receiver, reply
from tests.surfaces.platform_api.conftest import client_of, key_of
from tests.surfaces.platform_api.requests import ACCOUNT, PLAN, created, got

POLICY = {
    "schedule": ["P3D", "P4D"],
    "entitlement_steps": [
        {"after": "P0D", "effect": "degrade", "features": ["sso"]},
        {"after": "P2D", "effect": "read_only"},
    ],
}
SERVICE_SECRET = f"whsec_{base64.b64encode(bytes(range(32))).decode()}"
BACK = {"success_url": "https://shop.example/yes", "cancel_url": "https://shop.example/no"}


# From the debit that is on its way to the money that came in its place.
HAPPENED = [
    "payment.processing",
    "payment.failed",
    "dunning.opened",
    "subscription.became_past_due",
    "dunning.access_changed",  # degraded, in the commit of the callback
    "dunning.notice",
    "dunning.access_changed",  # two days later: read only
    "dunning.notice",
    "payment_method.added",
    "invoice.paid",
    "payment.succeeded",
    "subscription.recovered",
    "dunning.recovered",
]
ASKED = [
    "subscription.started.v1",
    "invoice.finalized.v1",
    "dunning.access_limited.v1",
    "dunning.payment_missing.v1",
    "dunning.reminder.v1",
    "payment.succeeded.v1",
    "dunning.recovered.v1",
]


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
    platform: Receiver
    service: Receiver

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
        providers = {
            PaymentProviders: self.providers,
            SecretBox: BOX,
            PayLinks: PAY_LINKS,
            ConsoleLinks: CONSOLE_LINKS,
            MailChannel: wired(None)[MailChannel],
            Notifier: HttpNotifier(
                f"http://127.0.0.1:{self.service.port}", secret=SERVICE_SECRET, timeout_seconds=5
            ),
            WebhookSender: HttpsSender(TargetPolicy(unrestricted=True)),
        }
        work = replace(self.tenant.work(), providers=providers)
        for sweep in self.registry.sweeps:
            if sweep.name in sweeps:
                await sweep.run(work)
        await run_jobs(work, self.registry)
        await deliver_due_requests(work)

    async def access(self, subscription: dict[str, Any]) -> tuple[str, dict[str, bool]]:
        found = await got(self.client, f"/subscriptions/{subscription['id']}/entitlements")
        return found["access"], {one["feature"]: one["allowed"] for one in found["features"]}

    async def asked_for(self) -> list[str]:
        """Which messages to people were requested, in their order."""
        found = await got(self.client, "/notification-requests", limit=100)
        return [one["type"] for one in reversed(found["data"])]


@pytest_asyncio.fixture
async def shop(tenant: Tenant, clock: FixedClock, registry: Registry) -> AsyncIterator[Shop]:
    async with AsyncExitStack() as running:
        server = await running.enter_async_context(fake_stripe())
        platform = await running.enter_async_context(receiver())
        service = await running.enter_async_context(receiver(reply(202)))
        rig = FakeStripeRig(server)
        providers = PaymentProviders({**discover(), "stripe": rig.provider})
        application = create_platform_api()
        application.state.wiring = Wiring(
            database=tenant.database,
            metrics=Metrics(),
            invoice_renderer=TypstInvoiceRenderer(),
            payment_providers=providers,
            secret_box=BOX,
            webhook_targets=TargetPolicy(unrestricted=True),
        )
        client = await running.enter_async_context(client_of(application, await key_of(tenant)))
        stranger = await running.enter_async_context(client_of(application))
        shop = Shop(client, stranger, rig, tenant, clock, registry, providers, platform, service)
        shop.passes()
        yield shop


async def test_a_direct_debit_comes_back_and_a_card_mends_it(shop: Shop):
    endpoint = await created(
        shop.client, "/webhook-endpoints", {"url": f"http://127.0.0.1:{shop.platform.port}/told"}
    )
    subscription, invoice_id = await sold_with_direct_debit(shop)
    await the_debit_comes_back(shop, subscription)
    await nothing_comes_twice(shop)
    await access_shrinks_with_time(shop, subscription)
    await a_payment_restores_everything(shop, subscription, invoice_id=invoice_id)
    await the_platform_is_told(shop, secret=endpoint["secret"])
    await the_service_is_asked(shop)


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


async def the_platform_is_told(shop: Shop, *, secret: str) -> None:
    """Of every event once, signed; what happened to one thing in the order of the log."""
    await shop.works("dispatch_due_webhooks")
    log = (await got(shop.client, "/events", limit=100))["data"]
    went = [one["type"] for one in log]
    assert went[went.index("payment.processing") :] == HAPPENED
    for _, headers, body in shop.platform.requests:
        check_signature(headers, body, secret=secret)
    told = [json.loads(body)["data"] for _, _, body in shop.platform.requests]
    assert sorted(one["id"] for one in told) == sorted(one["id"] for one in log)
    for subject in {one["subject_id"] for one in log}:
        of_one = [
            [one["id"] for one in all_ if one["subject_id"] == subject] for all_ in (told, log)
        ]
        assert of_one[0] == of_one[1]


async def the_service_is_asked(shop: Shop) -> None:
    """For every message once, signed, while it is still of use."""
    for _, headers, body in shop.service.requests:
        check_signature(headers, body, secret=SERVICE_SECRET)
    asked = [json.loads(body) for _, _, body in shop.service.requests]
    assert [one["type"] for one in asked] == ASKED
    assert len({one["dedup_key"] for one in asked}) == len(asked)


def check_signature(headers: dict[str, str], body: bytes, *, secret: str) -> None:
    """By the Standard Webhooks specification."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    assert f"v1,{signature}" in headers["webhook-signature"].split(" ")
