"""Does every payment that hangs in the air come to its end, without moving money twice?"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.invoicing.operations.settle_invoice import settle_invoice
from billwright.features.invoicing.operations.void_invoice import VoidInvoice, void_invoice
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import (
    OutcomeUnknown,
    PaymentProviders,
    ProviderUnavailable,
)
from billwright.features.payments.jobs import resolve_open_attempts
from billwright.features.payments.model import PaymentState
from billwright.features.payments.sql.reads import attempts_of, list_payments
from billwright.features.payments.sql.writes import submit_attempt
from billwright.runtime.db.json import from_json
from tests.features.payments.paying import (
    DECLINED,
    MANUAL,
    PROCESSING,
    SUCCEEDED,
    TOTAL,
    ScriptedProvider,
    an_invoice,
    collect,
    events_of,
    invoice_now,
    pay,
    reserve,
    work_with,
)

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


async def the_payment(tenant):
    async with tenant.tx() as tx:
        [payment] = await list_payments(tx, before=None, limit=10)
        [attempt] = await attempts_of(tx, payment.id)
    return payment, attempt


async def sweep(tenant, clock, providers=MANUAL, *, after=MINUTE):
    clock.move_to(clock.now() + after)
    return await resolve_open_attempts(work_with(tenant, providers))


async def sent(tenant, invoice, provider):
    """An attempt whose provider was asked by a process that then stopped."""
    attempt = await reserve(tenant, pay(invoice, provider="scripted"), provider.providers)
    async with tenant.tx() as tx:
        assert await submit_attempt(tx, attempt.id)
    return attempt


async def reviews_of(tenant):
    return [from_json(row["data"])["kind"] for row in await events_of(tenant, "review.requested")]


async def test_a_crash_after_the_reservation_is_mended_after_a_minute(tenant, clock):
    invoice = await an_invoice(tenant)
    await reserve(tenant, pay(invoice))
    assert await sweep(tenant, clock, after=timedelta(seconds=59)) == 0
    assert await sweep(tenant, clock, after=timedelta(seconds=1)) == 1
    assert await sweep(tenant, clock) == 0
    payment, attempt = await the_payment(tenant)
    assert payment.state is PaymentState.SUCCEEDED
    assert (attempt.state, attempt.next_check_at) == (AttemptState.SUCCEEDED, None)
    assert (await invoice_now(tenant, invoice)).due_minor == 0


async def test_a_crash_after_the_call_is_answered_by_asking_not_by_sending(tenant, clock):
    invoice = await an_invoice(tenant)
    provider = ScriptedProvider()
    attempt = await sent(tenant, invoice, provider)
    provider.known[attempt.provider_key] = SUCCEEDED
    await sweep(tenant, clock, provider.providers)
    payment, attempt = await the_payment(tenant)
    assert payment.state is PaymentState.SUCCEEDED
    assert attempt.provider_reference == "ref-1"
    assert provider.collected == []


async def test_an_unknown_outcome_is_sent_again_under_the_same_key(tenant, clock):
    invoice = await an_invoice(tenant)
    provider = ScriptedProvider(OutcomeUnknown(), SUCCEEDED)
    attempt = await reserve(tenant, pay(invoice, provider="scripted"), provider.providers)
    await collect(tenant, attempt, provider.providers)
    await sweep(tenant, clock, provider.providers)
    payment, _ = await the_payment(tenant)
    assert payment.state is PaymentState.SUCCEEDED
    assert provider.collected == [attempt.provider_key] * 2


async def test_a_provider_that_is_away_leaves_the_outcome_unknown(tenant, clock):
    """The first request may have arrived, whatever happens to the second."""
    invoice = await an_invoice(tenant)
    provider = ScriptedProvider(OutcomeUnknown(), ProviderUnavailable(), RuntimeError("a bug"))
    attempt = await reserve(tenant, pay(invoice, provider="scripted"), provider.providers)
    await collect(tenant, attempt, provider.providers)
    for after in (MINUTE, 4 * MINUTE):
        assert await sweep(tenant, clock, provider.providers, after=after) == 1
        payment, attempt = await the_payment(tenant)
        assert (payment.state, attempt.state) == (PaymentState.PENDING, AttemptState.UNKNOWN)
    assert attempt.next_check_at == attempt.created_at + 30 * MINUTE


async def test_a_key_that_may_be_forgotten_is_not_sent_again(tenant, clock):
    invoice = await an_invoice(tenant)
    provider = ScriptedProvider(remembers=DAY)
    await sent(tenant, invoice, provider)
    await sweep(tenant, clock, provider.providers, after=DAY)
    payment, attempt = await the_payment(tenant)
    assert (payment.state, attempt.state) == (PaymentState.FAILED, AttemptState.NOT_ATTEMPTED)
    assert provider.collected == []


@pytest.mark.parametrize("answer", [SUCCEEDED, DECLINED])
async def test_what_is_processing_is_asked_for_and_never_sent_again(tenant, clock, answer):
    invoice = await an_invoice(tenant)
    provider = ScriptedProvider(PROCESSING)
    attempt = await reserve(tenant, pay(invoice, provider="scripted"), provider.providers)
    await collect(tenant, attempt, provider.providers)
    await sweep(tenant, clock, provider.providers)
    payment, attempt = await the_payment(tenant)
    assert (payment.state, attempt.state) == (PaymentState.PENDING, AttemptState.PROCESSING)
    provider.known[attempt.provider_key] = answer
    await sweep(tenant, clock, provider.providers, after=4 * MINUTE)
    _, attempt = await the_payment(tenant)
    assert attempt.state is answer.state
    assert len(provider.collected) == 1


async def test_after_a_week_a_person_is_asked_once(tenant, clock):
    invoice = await an_invoice(tenant)
    provider = ScriptedProvider(PROCESSING)
    attempt = await reserve(tenant, pay(invoice, provider="scripted"), provider.providers)
    await collect(tenant, attempt, provider.providers)
    provider.known[attempt.provider_key] = OutcomeUnknown()
    looked = 0
    for _ in range(10):
        looked += await sweep(tenant, clock, provider.providers, after=DAY)
    assert looked == 7
    assert await reviews_of(tenant) == ["outcome_unknown"]
    payment, attempt = await the_payment(tenant)
    assert (payment.state, attempt.state) == (PaymentState.PENDING, AttemptState.PROCESSING)


async def test_a_provider_that_is_gone_is_a_case_for_a_person_too(tenant, clock):
    invoice = await an_invoice(tenant)
    await sent(tenant, invoice, ScriptedProvider())
    await sweep(tenant, clock, PaymentProviders(), after=8 * DAY)
    payment, attempt = await the_payment(tenant)
    assert (payment.state, attempt.state) == (PaymentState.PENDING, AttemptState.UNKNOWN)
    assert await reviews_of(tenant) == ["outcome_unknown"]


async def test_what_is_paid_otherwise_is_not_sent_again(tenant, clock):
    """The request got lost, and the money was booked by hand while nobody knew."""
    invoice = await an_invoice(tenant)
    provider = ScriptedProvider()
    attempt = await sent(tenant, invoice, provider)
    async with tenant.tx() as tx:
        locked = await lock_invoice(tx, invoice.id)
        await settle_invoice(tx, locked, amount_minor=TOTAL)
    await sweep(tenant, clock, provider.providers)
    payment, attempt = await the_payment(tenant)
    assert (payment.state, attempt.failure_code) == (PaymentState.CANCELED, "no_longer_due")
    assert provider.collected == []


async def test_what_was_reserved_and_is_not_wanted_any_more_is_not_sent(tenant, clock):
    invoice = await an_invoice(tenant)
    provider = ScriptedProvider()
    await reserve(tenant, pay(invoice, provider="scripted"), provider.providers)
    async with tenant.tx() as tx:
        await void_invoice(tx, VoidInvoice(invoice_id=invoice.id, reason="mistake"))
    await sweep(tenant, clock, provider.providers)
    payment, attempt = await the_payment(tenant)
    assert (payment.state, attempt.failure_code) == (PaymentState.CANCELED, "no_longer_due")
    assert provider.collected == []
    assert len(await events_of(tenant, "payment.canceled")) == 1


async def test_two_workers_share_the_attempts(tenant, clock):
    invoice = await an_invoice(tenant)
    provider = ScriptedProvider(SUCCEEDED)
    await reserve(tenant, pay(invoice, provider="scripted"), provider.providers)
    clock.move_to(clock.now() + MINUTE)
    work = work_with(tenant, provider.providers)
    assert sorted(await asyncio.gather(*(resolve_open_attempts(work) for _ in range(3)))) == [
        0,
        0,
        1,
    ]
    assert len(provider.collected) == 1
    assert (await invoice_now(tenant, invoice)).paid_minor == TOTAL


async def test_another_tenant_s_attempts_are_left_alone(tenant, other_tenant, clock):
    await reserve(tenant, pay(await an_invoice(tenant)))
    assert await sweep(other_tenant, clock) == 0
