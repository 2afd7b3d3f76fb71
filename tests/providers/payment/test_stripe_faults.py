"""Does any fault on the way to Stripe charge twice, under the rules of payments?

The real operations, a real database, the real SDK and a server that breaks: whatever happens, money is
taken at most once, and what payments believe in the end is what Stripe's books say.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import (
    CollectRequest,
    OutcomeUnknown,
    PaymentProviders,
    ProviderAnswer,
    ProviderUnavailable,
)
from billwright.features.payments.jobs import resolve_open_attempts
from billwright.features.payments.model import PaymentState
from billwright.features.payments.sql.reads import attempts_of, list_payments
from billwright.providers.payment.stripe.api import StripeApi
from billwright.providers.payment.stripe.provider import StripeProvider
from tests.features.payments.paying import (
    TOTAL,
    an_invoice,
    collect,
    invoice_now,
    pay,
    reserve,
    work_with,
)
from tests.providers.conformance.rigs import saved, to_collect, to_refund
from tests.providers.fake_stripe_server import FakeServer, Fault, fake_stripe

UNCERTAIN = [
    Fault.RESET_BEFORE,
    Fault.RESET_AFTER,
    Fault.SILENT_BEFORE,
    Fault.SILENT_AFTER,
    Fault.ERROR_BEFORE,
    Fault.ERROR_AFTER,
    Fault.GATEWAY_AFTER,
]
CERTAIN = [Fault.LIMITED, Fault.UNAUTHORIZED]
IMPATIENT = httpx2.Timeout(connect=2, write=2, read=0.2, pool=1)
CHECKS = [timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2)]


def provider_at(server: FakeServer) -> StripeProvider:
    api = StripeApi("sk_test_fake", base_url=server.url, timeout=IMPATIENT)
    return StripeProvider("sk_test_fake", callback_secrets=[], api=api)


class CardOnFile(StripeProvider):
    """Charges one card whatever it is asked, since the invoice of these tests names none."""

    async def collect(self, request: CollectRequest) -> ProviderAnswer:
        return await super().collect(replace(request, saved_method=saved("pm_visa")))


@pytest.mark.parametrize("fault", UNCERTAIN + CERTAIN)
@pytest.mark.parametrize("search_lags", [False, True])
async def test_a_fault_ends_with_the_books_of_both_sides_alike(tenant, clock, fault, search_lags):
    invoice = await an_invoice(tenant)
    async with fake_stripe() as server:
        api = StripeApi("sk_test_fake", base_url=server.url, timeout=IMPATIENT)
        provider = CardOnFile("sk_test_fake", callback_secrets=[], api=api)
        providers = PaymentProviders({"stripe": provider})
        attempt = await reserve(tenant, pay(invoice, provider="stripe"), providers)
        server.faults, server.stripe.search_lags = [fault], search_lags
        payment = await collect(tenant, attempt, providers)
        expected = PaymentState.FAILED if fault in CERTAIN else PaymentState.PENDING
        assert payment.state is expected
        for check in CHECKS:
            clock.move_to(attempt.created_at + check)
            await resolve_open_attempts(work_with(tenant, providers))
        taken = server.stripe.taken
    async with tenant.tx() as tx:
        [payment] = await list_payments(tx, before=None, limit=10)
        [attempt] = await attempts_of(tx, payment.id)
    if fault in CERTAIN:
        assert (taken, attempt.state) == (0, AttemptState.NOT_ATTEMPTED)
    else:
        assert (taken, attempt.state) == (TOTAL, AttemptState.SUCCEEDED)
    assert (await invoice_now(tenant, invoice)).due_minor == TOTAL - taken


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    faults=st.lists(st.sampled_from([*UNCERTAIN[:2], *UNCERTAIN[4:], *CERTAIN]), max_size=5),
    search_lags=st.booleans(),
)
def test_no_row_of_faults_charges_twice(faults, search_lags):
    """The rule that payments follow: ask for the key; where it is unknown, send the same again."""

    async def followed() -> None:
        async with fake_stripe() as server:
            provider = provider_at(server)
            server.faults, server.stripe.search_lags = list(faults), search_lags
            request = to_collect_visa()
            answer = None
            for _ in range(len(faults) + 2):
                try:
                    answer = await provider.find(request.provider_key)
                    answer = answer or await provider.collect(request)
                except (ProviderUnavailable, OutcomeUnknown):
                    continue
            assert answer is not None
            assert answer.state is AttemptState.SUCCEEDED
            assert server.stripe.taken == TOTAL

    asyncio.run(followed())


def to_collect_visa() -> CollectRequest:
    class Visa:
        methods = {"paid": "pm_visa"}  # noqa: RUF012

    return to_collect(Visa)  # type: ignore[arg-type]


@pytest.mark.parametrize("fault", UNCERTAIN)
async def test_a_fault_gives_money_back_once(fault):
    async with fake_stripe() as server:
        provider = provider_at(server)
        paid = await provider.collect(to_collect_visa())
        refund = to_refund(paid.provider_reference, 3000)
        server.faults = [fault]
        with pytest.raises(OutcomeUnknown):
            await provider.refund(refund)
        found = await provider.find_refund(refund.provider_key)
        answer = found or await provider.refund(refund)
        assert answer.state is AttemptState.SUCCEEDED
        assert [each["amount"] for each in server.stripe.of("refund")] == [3000]


async def test_two_at_once_under_one_key_charge_once():
    async with fake_stripe() as server:
        provider = provider_at(server)
        server.working = 0.05
        request = to_collect_visa()
        outcomes = await asyncio.gather(
            *(provider.collect(request) for _ in range(4)), return_exceptions=True
        )
        assert sum(isinstance(each, OutcomeUnknown) for each in outcomes) == 3
        assert server.stripe.taken == TOTAL
        found = await provider.find(request.provider_key)
        assert found is not None
        assert found.state is AttemptState.SUCCEEDED


async def test_a_key_with_other_values_is_not_a_second_charge():
    async with fake_stripe() as server:
        provider = provider_at(server)
        request = to_collect_visa()
        await provider.collect(request)
        with pytest.raises(OutcomeUnknown):
            await provider.collect(replace(request, invoice_number="INV-2026-00002"))
        assert server.stripe.taken == TOTAL


async def test_the_key_is_given_up_before_stripe_forgets_it():
    """Sent again after a day it would be a new charge, which is why payments must not."""
    async with fake_stripe() as server:
        provider = provider_at(server)
        request = to_collect_visa()
        await provider.collect(request)
        assert provider.remembers_keys_for is not None
        server.stripe.later = int(provider.remembers_keys_for.total_seconds())
        await provider.collect(request)
        assert server.stripe.taken == TOTAL
        server.stripe.later = 25 * 3600
        await provider.collect(request)
        assert server.stripe.taken == 2 * TOTAL


async def test_what_was_never_reached_was_not_asked():
    async with fake_stripe() as server:
        provider = provider_at(server)
    with pytest.raises(ProviderUnavailable):
        await provider.collect(to_collect_visa())
    with pytest.raises(ProviderUnavailable):
        await provider.find("attempt:1")


@pytest.mark.parametrize("fault", [Fault.ERROR_BEFORE, Fault.GATEWAY_AFTER, Fault.RESET_AFTER])
async def test_what_goes_wrong_is_told_without_secrets_and_names(fault):
    async with fake_stripe() as server:
        provider = provider_at(server)
        server.faults = [fault]
        with pytest.raises(OutcomeUnknown) as unknown:
            await provider.collect(to_collect_visa())
    said = f"{unknown.value!r} {unknown.value.__cause__!r} {provider!r}"
    for secret in ("sk_test_fake", "Riverbank", "riverbank", "pm_visa"):
        assert secret not in said
