"""Are Stripe's books read as they are written?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from billwright.features.payment_methods.operations.store_method import store_method
from billwright.features.payment_providers.port import PaymentProviders
from billwright.features.payments.model import PaymentState
from billwright.features.payments.operations.collect_attempt import collect_attempt
from billwright.features.payments.operations.reconcile_provider import reconcile_provider
from billwright.features.payments.rules.reconciliation import Difference, Window
from tests.conftest import BOX
from tests.features.payments.paying import TOTAL, an_invoice, invoice_now, pay, reserve
from tests.providers.conformance.rigs import rigged, saved
from tests.providers.fake_stripe_server import Fault


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
