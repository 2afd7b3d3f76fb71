"""Are Stripe's books read as they are written?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from billwright.features.payment_methods.operations.store_method import store_method
from billwright.features.payment_providers.model import DisputeState
from billwright.features.payment_providers.port import PaymentProviders
from billwright.features.payments.model import PaymentState
from billwright.features.payments.operations.collect_attempt import collect_attempt
from billwright.features.payments.rules.reconciliation import Difference, Window
from billwright.features.refunds.operations.reconcile_provider import reconcile_provider
from billwright.features.refunds.sql.reads import list_disputes, list_refunds
from tests.conftest import BOX
from tests.features.payments.paying import (
    TOTAL,
    an_invoice,
    invoice_now,
    leave_card,
    pay,
    reserve,
)
from tests.providers.conformance.rigs import rigged, saved
from tests.providers.fake_stripe_server import Fault


async def test_what_went_back_there_and_what_a_bank_wants_back_is_booked(tenant):
    invoice = await an_invoice(tenant)
    async with rigged("stripe") as rig:
        stripe = rig.server.stripe
        providers = PaymentProviders({"stripe": rig.provider})
        await leave_card(tenant, invoice, provider="stripe", reference="pm_visa")
        attempt = await reserve(tenant, pay(invoice, provider="stripe"), providers)
        await collect_attempt(tenant.tx, attempt.id, providers=providers, box=BOX)
        [intent] = stripe.of("payment_intent")
        refund = stripe.give_back(intent["id"], 1000)
        stripe.dispute(intent["id"])
        stripe.close_dispute(intent["id"], "lost")
        now = datetime.now(UTC)
        window = Window(now - timedelta(days=2), now + timedelta(hours=1))
        for mended in (2, 0):
            done = await reconcile_provider(tenant.tx, window, provider=rig.provider, box=BOX)
            assert (done.run.compared, done.run.mended, done.run.differences) == (3, mended, 0)
        async with tenant.tx() as tx:
            [booked] = await list_refunds(tx, before=None, limit=9)
            [dispute] = await list_disputes(tx, before=None, limit=9)
        assert (booked.provider_reference, booked.amount.amount_minor) == (refund, 1000)
        assert dispute.state is DisputeState.LOST


async def test_a_payment_whose_answer_was_lost_is_booked_and_a_second_one_is_told(tenant):
    invoice = await an_invoice(tenant)
    async with rigged("stripe") as rig:
        stripe = rig.server.stripe
        providers = PaymentProviders({"stripe": rig.provider})
        async with tenant.tx() as tx:
            await store_method(
                tx,
                account_id=invoice.account_id,
                provider="stripe",
                method=saved("pm_visa"),
                consent="setup page of stripe",
                box=BOX,
            )
        attempt = await reserve(tenant, pay(invoice, provider="stripe"), providers)
        rig.server.faults = [Fault.RESET_AFTER]
        unknown = await collect_attempt(tenant.tx, attempt.id, providers=providers, box=BOX)
        assert (unknown.state, stripe.taken) == (PaymentState.PENDING, TOTAL)

        now = datetime.now(UTC)
        window = Window(now - timedelta(days=2), now + timedelta(hours=1))
        done = await reconcile_provider(tenant.tx, window, provider=rig.provider, box=BOX)
        assert (done.run.compared, done.run.mended, done.run.differences) == (1, 1, 0)
        assert (await invoice_now(tenant, invoice)).due_minor == 0
        assert stripe.taken == TOTAL

        [first] = stripe.of("payment_intent")
        stripe.things["pi_second"] = {**first, "id": "pi_second"}
        done = await reconcile_provider(tenant.tx, window, provider=rig.provider, box=BOX)
        assert [each.difference for each in done.findings] == [Difference.PAID_TWICE]
