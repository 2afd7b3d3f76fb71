"""What becomes of what Stripe tells, signed as Stripe signs it?"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio

from billwright.features.invoicing.model import Invoice, InvoiceState
from billwright.features.payment_methods.model import MethodStatus, StoredMethod
from billwright.features.payment_methods.operations.start_setup import (
    StartSetup,
    open_setup_page,
    start_setup,
)
from billwright.features.payment_methods.sql.reads import method_by_id
from billwright.features.payment_providers.port import CallbackInvalid
from billwright.features.payments.operations.open_page import OpenPage, open_page
from billwright.providers.payment.stripe.provider import StripeProvider
from tests.conftest import BOX, Tenant
from tests.features.callbacks.calling import Caller, kept, states
from tests.features.payments.paying import TOTAL, an_invoice, events_of, invoice_now
from tests.providers.conformance.rigs import SECRETS, FakeStripeRig
from tests.providers.fake_stripe import payment_method
from tests.providers.fake_stripe_server import fake_stripe

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stripe:
    """An account at Stripe, and this installation, which listens to it."""

    rig: FakeStripeRig
    caller: Caller
    tenant: Tenant

    async def happens(self, *, backwards: bool = False) -> None:
        """Deliver everything that Stripe has to tell."""
        bodies = self.rig.happened()
        for body in reversed(bodies) if backwards else bodies:
            await self.deliver(body)

    async def tell(self, event_type: str, thing: dict[str, Any], *, after: timedelta) -> None:
        event = self.rig.server.stripe.event(event_type, thing)
        event["created"] += int(after.total_seconds())
        await self.deliver(json.dumps(event).encode())

    async def deliver(self, body: bytes, *, secret: str = SECRETS[0]) -> None:
        headers = self.rig.sign(body, secret=secret, at=self.caller.clock.now())
        await self.caller.deliver(body, headers)

    async def methods(self) -> list[StoredMethod]:
        async with self.tenant.tx() as tx:
            rows = await tx.fetch("select id from payment_method order by id")
            return [await method_by_id(tx, row["id"]) for row in rows]

    async def leaves_a_method(self, invoice: Invoice) -> None:
        command = StartSetup(
            account_id=invoice.account_id,
            success_url="https://seller.example/yes",
            cancel_url="https://seller.example/no",
        )
        providers = self.caller.providers
        async with self.tenant.tx() as tx:
            setup_id = await start_setup(tx, command, providers=providers)
        await open_setup_page(
            self.tenant.tx, setup_id, command=command, providers=providers, box=BOX
        )
        [page] = self.rig.server.stripe.of("checkout.session")
        await self.rig.pay(page["id"])

    async def opens_a_page(self, invoice: Invoice, *, saves_method: bool = False) -> str:
        await open_page(
            self.tenant.tx,
            OpenPage(
                invoice_id=invoice.id,
                success_url="https://seller.example/yes",
                cancel_url="https://seller.example/no",
                saves_method=saves_method,
            ),
            providers=self.caller.providers,
            box=BOX,
        )
        [page] = self.rig.server.stripe.of("checkout.session")
        return str(page["id"])


@pytest_asyncio.fixture
async def stripe(tenant, database, clock) -> AsyncIterator[Stripe]:
    async with fake_stripe() as server:
        rig = FakeStripeRig(server)
        clock.move_to(rig.now)
        yield Stripe(rig, Caller(database, clock, provider=rig.provider), tenant)


@pytest.mark.parametrize("backwards", [False, True])
async def test_a_method_that_a_payer_leaves_is_kept_once(stripe, backwards):
    """Neither event says which method it is: Stripe is asked."""
    invoice = await an_invoice(stripe.tenant)
    await stripe.leaves_a_method(invoice)
    await stripe.happens(backwards=backwards)
    assert await states(stripe.tenant) == ["handled", "handled"]
    [method] = await stripe.methods()
    assert (method.label, method.is_default) == ("Visa •••• 4242", True)
    assert len(await events_of(stripe.tenant, "payment_method.added")) == 1


@pytest.mark.parametrize("backwards", [False, True])
async def test_a_method_that_comes_with_a_payment_is_kept(stripe, backwards):
    invoice = await an_invoice(stripe.tenant)
    page = await stripe.opens_a_page(invoice, saves_method=True)
    await stripe.rig.pay(page)
    await stripe.happens(backwards=backwards)
    assert (await invoice_now(stripe.tenant, invoice)).state is InvoiceState.PAID
    assert [method.label for method in await stripe.methods()] == ["Visa •••• 4242"]
    assert len(await events_of(stripe.tenant, "payment.succeeded")) == 1


async def test_a_method_that_was_only_used_is_not_kept(stripe):
    invoice = await an_invoice(stripe.tenant)
    await stripe.rig.pay(await stripe.opens_a_page(invoice))
    await stripe.happens()
    assert (await invoice_now(stripe.tenant, invoice)).state is InvoiceState.PAID
    assert await stripe.methods() == []


@pytest.mark.parametrize("backwards", [False, True])
async def test_a_direct_debit_on_a_page_is_paid_days_later(stripe, backwards):
    invoice = await an_invoice(stripe.tenant)
    page = await stripe.opens_a_page(invoice)
    stripe.rig.server.stripe.pay_page(page, "pm_sepa")
    await stripe.happens(backwards=backwards)
    assert len(await events_of(stripe.tenant, "payment.processing")) == 1
    [intent] = stripe.rig.server.stripe.of("payment_intent")
    stripe.rig.server.stripe.settle(intent["id"])
    await stripe.happens()
    assert (await invoice_now(stripe.tenant, invoice)).paid_minor == TOTAL


async def test_of_two_events_of_a_method_the_later_one_counts(stripe):
    """The card is renewed to 2030 on day 1 and to 2033 on day 2, which is told first."""
    invoice = await an_invoice(stripe.tenant)
    await stripe.leaves_a_method(invoice)
    await stripe.happens()
    for year, day in ((2033, 2), (2030, 1)):
        card = payment_method("pm_visa")
        card["card"] = {**card["card"], "exp_year": year}
        await stripe.tell("payment_method.automatically_updated", card, after=DAY * day)
    [method] = await stripe.methods()
    assert method.expires_on == date(2033, 2, 28)
    assert set(await states(stripe.tenant)) == {"handled"}
    references = {callback.reference for callback in (await kept(stripe.tenant))[2:]}
    assert len(references) == 1
    assert "pm_visa" not in str(references)


async def test_a_method_that_is_gone_stays_gone(stripe):
    invoice = await an_invoice(stripe.tenant)
    await stripe.leaves_a_method(invoice)
    await stripe.happens()
    detached = {**payment_method("pm_visa"), "customer": None}
    await stripe.tell("payment_method.detached", detached, after=2 * DAY)
    await stripe.tell("payment_method.updated", payment_method("pm_visa"), after=DAY)
    [method] = await stripe.methods()
    assert (method.status, method.is_default) == (MethodStatus.REMOVED, False)


async def test_a_method_is_found_in_the_tenant_that_has_it(stripe, other_tenant):
    """Stripe's methods do not say whose they are."""
    elsewhere = Stripe(stripe.rig, stripe.caller, other_tenant)
    invoice = await an_invoice(other_tenant)
    await elsewhere.leaves_a_method(invoice)
    await elsewhere.happens()
    card = payment_method("pm_visa")
    card["card"] = {**card["card"], "exp_year": 2033}
    await stripe.tell("payment_method.updated", card, after=DAY)
    [method] = await elsewhere.methods()
    assert method.expires_on == date(2033, 2, 28)
    assert await kept(stripe.tenant) == []


async def test_what_is_done_at_the_dashboard_is_booked(stripe):
    """10.00 of 46.29 are given back there, and then the bank wants the payment back."""
    invoice = await an_invoice(stripe.tenant)
    await stripe.rig.pay(await stripe.opens_a_page(invoice))
    await stripe.happens()
    [intent] = stripe.rig.server.stripe.of("payment_intent")
    stripe.rig.server.stripe.create_refund({"payment_intent": intent["id"], "amount": "1000"})
    stripe.rig.server.stripe.dispute(intent["id"])
    await stripe.happens()
    assert set(await states(stripe.tenant)) == {"handled"}
    async with stripe.tenant.tx() as tx:
        refund = await tx.fetch_row("select origin, state, amount_minor from refund")
        assert tuple(refund) == ("provider", "succeeded", 1000)
        assert await tx.fetch_value("select state from dispute") == "open"
        assert await tx.fetch_value("select refunded_minor from payment") == 1000


async def test_both_secrets_are_good_while_one_takes_the_place_of_the_other(stripe):
    new, old = SECRETS
    invoice = await an_invoice(stripe.tenant)
    await stripe.rig.pay(await stripe.opens_a_page(invoice))
    first, second = stripe.rig.happened()[:2]
    await stripe.deliver(first, secret=old)
    stripe.caller.provider = StripeProvider("sk_test_fake", callback_secrets=[new])
    with pytest.raises(CallbackInvalid):
        await stripe.deliver(second, secret=old)
    await stripe.deliver(second, secret=new)
    assert await states(stripe.tenant) == ["handled", "handled"]
