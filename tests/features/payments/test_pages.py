"""Has an invoice one page to be paid on, and is nothing charged beside it?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from billwright.features.invoicing.model import InvoiceState
from billwright.features.invoicing.operations.credit_invoice import CreditInvoice, credit_invoice
from billwright.features.invoicing.operations.void_invoice import VoidInvoice, void_invoice
from billwright.features.payment_methods.sql.reads import default_method_of
from billwright.features.payment_providers.model import AttemptState, Decline, MethodKind
from billwright.features.payment_providers.port import (
    CHECKOUT_EXPIRED,
    OutcomeUnknown,
    ProviderAnswer,
    ProviderUnavailable,
    SavedMethod,
)
from billwright.features.payments.jobs import close_expired_pages, resolve_open_attempts
from billwright.features.payments.model import PaymentState
from billwright.features.payments.operations.cancel_payment import cancel_payment
from billwright.features.payments.operations.open_page import OpenPage, open_page
from billwright.features.payments.operations.page_urls import live_page_url
from billwright.features.payments.operations.withdraw_waiting import withdraw_waiting
from billwright.features.payments.sql.reads import list_payments
from billwright.kernel.refusal import Refusal
from tests.conftest import BOX
from tests.features.payments.paying import (
    DECLINED,
    LOST_CARD,
    PROCESSING,
    SUCCEEDED,
    TO_CONFIRM,
    TOTAL,
    ScriptedProvider,
    an_invoice,
    collect,
    euros,
    events_of,
    invoice_now,
    pay,
    record,
    reserve,
    standing,
    work_with,
)

BACK = {"success_url": "https://app.example/paid", "cancel_url": "https://app.example/"}
EXPIRED = ProviderAnswer(AttemptState.DECLINED, "ref-1", CHECKOUT_EXPIRED)


async def opened(tenant, invoice, provider, **changes):
    values = {"invoice_id": invoice.id, "saves_method": True, **BACK, **changes}
    return await open_page(tenant.tx, OpenPage(**values), providers=provider.providers, box=BOX)


async def withdrawn(tenant, invoice, provider):
    return await withdraw_waiting(tenant.tx, invoice.id, providers=provider.providers, box=BOX)


async def url_of(tenant, invoice):
    async with tenant.tx() as tx:
        return await live_page_url(tx, invoice.id, box=BOX)


async def attempt_on(tenant, page):
    return (await standing(tenant, page.payment_id))[1]


async def test_a_page_is_opened_for_all_that_is_due_and_only_once(tenant, clock):
    invoice, provider = await an_invoice(tenant), ScriptedProvider()
    page = await opened(tenant, invoice, provider)
    assert await opened(tenant, invoice, provider) == page
    [request] = provider.pages
    assert (request.amount, request.saves_method) == (euros(TOTAL), True)
    assert page.expires_at == clock.now() + timedelta(hours=23)
    assert await url_of(tenant, invoice) == page.url == "https://pay.example/page-1"
    payment, attempt = await standing(tenant, page.payment_id)
    assert (payment.origin.value, attempt.channel.value) == ("page", "page")
    assert (attempt.state, attempt.page_reference) == (AttemptState.REQUIRES_ACTION, "page-1")
    assert "pay.example" not in (attempt.page_url_sealed or "")
    assert await events_of(tenant, "payment.started") == []
    assert await events_of(tenant, "payment.action_required") == []


async def test_of_many_that_ask_at_once_nobody_opens_a_second_page(tenant):
    invoice, provider = await an_invoice(tenant), ScriptedProvider()
    results = await asyncio.gather(
        *(opened(tenant, invoice, provider) for _ in range(4)), return_exceptions=True
    )
    assert len(provider.pages) == 1
    refused = {one.code for one in results if isinstance(one, Refusal)}
    assert refused <= {"payment_in_progress"}
    assert len({one for one in results if not isinstance(one, Refusal)}) == 1


async def test_a_page_for_another_amount_is_closed_before_the_next_one_opens(tenant):
    """26.29 are left of 46.29 after a credit of 20.00."""
    invoice, provider = await an_invoice(tenant), ScriptedProvider()
    first = await opened(tenant, invoice, provider)
    async with tenant.tx() as tx:
        await credit_invoice(
            tx, CreditInvoice(invoice_id=invoice.id, reason="sorry", gross_minor=2000)
        )
    second = await opened(tenant, invoice, provider)
    assert provider.withdrawn == ["page-1"]
    assert [request.amount for request in provider.pages] == [euros(TOTAL), euros(2629)]
    closed, attempt = await standing(tenant, first.payment_id)
    assert (closed.state, attempt.failure_code) == (PaymentState.CANCELED, "page_closed")
    assert await url_of(tenant, invoice) == second.url


async def test_a_page_that_was_paid_meanwhile_makes_no_way(tenant):
    invoice, provider = await an_invoice(tenant), ScriptedProvider()
    page = await opened(tenant, invoice, provider)
    attempt = await attempt_on(tenant, page)
    provider.paid_pages.add("page-1")
    provider.known[attempt.provider_key] = SUCCEEDED
    with pytest.raises(Refusal) as refused:
        await opened(tenant, invoice, provider, saves_method=False)
    assert refused.value.code == "invoice_not_payable"
    assert (await invoice_now(tenant, invoice)).state is InvoiceState.PAID
    assert len(provider.pages) == 1


@pytest.mark.parametrize("fault", [ProviderUnavailable(), OutcomeUnknown(), TimeoutError()])
async def test_a_page_of_which_nobody_has_the_address_is_no_page(tenant, fault):
    invoice, provider = await an_invoice(tenant), ScriptedProvider(fault)
    with pytest.raises(Refusal) as refused:
        await opened(tenant, invoice, provider)
    assert refused.value.code == "provider_silent"
    assert (await opened(tenant, invoice, provider)).url == "https://pay.example/page-1"
    async with tenant.tx() as tx:
        second, first = await list_payments(tx, before=None, limit=10)
    assert (first.state, second.state) == (PaymentState.CANCELED, PaymentState.PENDING)


async def test_a_process_that_stops_while_it_opens_a_page_leaves_nothing_live(tenant, clock):
    invoice, provider = await an_invoice(tenant), ScriptedProvider(asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await opened(tenant, invoice, provider)
    with pytest.raises(Refusal) as refused:
        await opened(tenant, invoice, provider)
    assert refused.value.code == "payment_in_progress"
    clock.move_to(clock.now() + timedelta(minutes=1))
    await resolve_open_attempts(work_with(tenant, provider.providers))
    assert await opened(tenant, invoice, provider)


async def test_what_a_payer_leaves_on_the_page_is_kept_once(tenant):
    invoice, provider = await an_invoice(tenant), ScriptedProvider()
    attempt = await attempt_on(tenant, await opened(tenant, invoice, provider))
    card = SavedMethod(reference="card-7", kind=MethodKind.CARD, label="Visa •••• 4242")
    answer = replace(SUCCEEDED, amount=euros(TOTAL), saved_method=card)
    await record(tenant, attempt, replace(answer, saved_method=None))
    for _ in range(2):
        payment = await record(tenant, attempt, answer)
    async with tenant.tx() as tx:
        method = await default_method_of(tx, invoice.account_id)
    assert method is not None
    assert (payment.saved_method_id, payment.method.value) == (method.id, "card")
    assert len(await events_of(tenant, "payment_method.added")) == 1


async def test_what_a_payer_did_not_want_to_leave_is_not_kept(tenant):
    invoice, provider = await an_invoice(tenant), ScriptedProvider()
    page = await opened(tenant, invoice, provider, saves_method=False)
    card = SavedMethod(reference="card-7", kind=MethodKind.CARD, label="Visa •••• 4242")
    await record(tenant, await attempt_on(tenant, page), replace(SUCCEEDED, saved_method=card))
    async with tenant.tx() as tx:
        assert await default_method_of(tx, invoice.account_id) is None


@pytest.mark.parametrize(
    ("said", "state", "event"),
    [
        (EXPIRED, PaymentState.CANCELED, "payment.canceled"),
        (LOST_CARD, PaymentState.FAILED, "payment.failed"),
    ],
)
async def test_a_page_that_was_left_is_not_declined(tenant, said, state, event):
    invoice, provider = await an_invoice(tenant), ScriptedProvider()
    attempt = await attempt_on(tenant, await opened(tenant, invoice, provider))
    payment = await record(tenant, attempt, said)
    assert payment.state is state
    assert len(await events_of(tenant, event)) == 1
    _, attempt = await standing(tenant, payment.id)
    # The payer can choose another way to pay, so that nothing is said for good.
    assert attempt.decline is (Decline.SOFT if state is PaymentState.FAILED else None)


async def test_a_debit_from_a_page_is_under_way_and_keeps_its_place(tenant):
    invoice, provider = await an_invoice(tenant), ScriptedProvider()
    attempt = await attempt_on(tenant, await opened(tenant, invoice, provider))
    payment = await record(tenant, attempt, PROCESSING)
    await record(tenant, attempt, TO_CONFIRM)
    _, attempt = await standing(tenant, payment.id)
    assert attempt.state is AttemptState.PROCESSING
    assert await url_of(tenant, invoice) is None
    assert not await withdrawn(tenant, invoice, provider)
    with pytest.raises(Refusal) as refused:
        await opened(tenant, invoice, provider)
    assert refused.value.code == "payment_in_progress"
    assert len(await events_of(tenant, "payment.processing")) == 1


async def test_a_payment_that_waits_for_its_payer_is_withdrawn(tenant, clock):
    invoice, provider = await an_invoice(tenant), ScriptedProvider(TO_CONFIRM)
    attempt = await reserve(tenant, pay(invoice, provider="scripted"), provider.providers)
    payment = await collect(tenant, attempt, provider.providers)
    _, waiting = await standing(tenant, payment.id)
    assert waiting.page_expires_at == clock.now() + timedelta(hours=23)
    assert await url_of(tenant, invoice) == "https://bank.example/confirm"
    assert len(await events_of(tenant, "payment.action_required")) == 1

    assert await withdrawn(tenant, invoice, provider)
    payment, attempt = await standing(tenant, payment.id)
    assert (payment.state, attempt.decline) == (PaymentState.FAILED, Decline.SOFT)
    assert attempt.failure_code == "authentication_not_completed"
    assert await withdrawn(tenant, invoice, provider)
    assert provider.withdrawn == ["ref-1"]


@pytest.mark.parametrize("fault", [ProviderUnavailable(), OutcomeUnknown(), LookupError()])
async def test_what_cannot_be_withdrawn_now_stays_in_the_way(tenant, fault):
    invoice, provider = await an_invoice(tenant), ScriptedProvider()
    await opened(tenant, invoice, provider)

    async def fail(reference):
        raise fault

    provider.withdraw = fail
    assert not await withdrawn(tenant, invoice, provider)
    assert await url_of(tenant, invoice) == "https://pay.example/page-1"


async def test_what_nobody_came_for_ends_by_itself(tenant, clock):
    invoice, provider = await an_invoice(tenant), ScriptedProvider()
    page = await opened(tenant, invoice, provider)
    work = work_with(tenant, provider.providers)
    clock.move_to(page.expires_at - timedelta(seconds=1))
    assert await close_expired_pages(work) == 0
    clock.move_to(page.expires_at)
    late = replace(work, as_of=clock.now())
    assert [await close_expired_pages(late) for _ in range(2)] == [1, 0]
    payment, _ = await standing(tenant, page.payment_id)
    assert payment.state is PaymentState.CANCELED
    assert await url_of(tenant, invoice) is None


async def test_a_provider_that_is_silent_is_asked_again_in_an_hour(tenant, clock):
    invoice, provider = await an_invoice(tenant), ScriptedProvider()
    page = await opened(tenant, invoice, provider)
    looked = 0

    async def fail(reference):
        nonlocal looked
        looked += 1
        raise ProviderUnavailable

    provider.withdraw = fail
    for minutes in (0, 1, 59, 60, 61):
        clock.move_to(page.expires_at + timedelta(minutes=minutes))
        await close_expired_pages(work_with(tenant, provider.providers))
    assert looked == 2


@pytest.mark.parametrize("end", ["void", "paid"])
async def test_nobody_pays_on_a_page_for_what_is_not_owed_any_more(tenant, end):
    """The page is closed by a job that is part of the very commit that settles the invoice."""
    invoice, provider = await an_invoice(tenant), ScriptedProvider()
    await opened(tenant, invoice, provider)
    async with tenant.tx() as tx:
        if end == "void":
            await void_invoice(tx, VoidInvoice(invoice_id=invoice.id, reason="mistake"))
        else:
            await credit_invoice(tx, CreditInvoice(invoice_id=invoice.id, reason="sorry"))
    jobs = await tenant.database.unscoped("select entrypoint from queue.pgqueuer")
    assert [row["entrypoint"] for row in jobs].count("withdraw_waiting") == 1


async def test_somebody_stops_waiting(tenant):
    invoice, provider = await an_invoice(tenant), ScriptedProvider(DECLINED)
    refused = await collect(
        tenant,
        await reserve(tenant, pay(invoice, provider="scripted"), provider.providers),
        provider.providers,
    )
    page = await opened(tenant, invoice, provider)
    for _ in range(2):
        assert (await canceled(tenant, page.payment_id, provider)).state is PaymentState.CANCELED
    with pytest.raises(Refusal) as refusal:
        await canceled(tenant, refused.id, provider)
    assert refusal.value.code == "payment_not_cancelable"


async def test_what_was_paid_is_not_canceled(tenant):
    invoice, provider = await an_invoice(tenant), ScriptedProvider()
    page = await opened(tenant, invoice, provider)
    provider.paid_pages.add("page-1")
    provider.known[(await attempt_on(tenant, page)).provider_key] = SUCCEEDED
    with pytest.raises(Refusal) as refusal:
        await canceled(tenant, page.payment_id, provider)
    assert refusal.value.code == "payment_not_cancelable"
    assert (await invoice_now(tenant, invoice)).state is InvoiceState.PAID


async def test_another_tenant_sees_no_page_and_withdraws_none(tenant, other_tenant):
    invoice, provider = await an_invoice(tenant), ScriptedProvider()
    page = await opened(tenant, invoice, provider)
    assert await url_of(other_tenant, invoice) is None
    assert await withdrawn(other_tenant, invoice, provider)
    assert provider.withdrawn == []
    for attempt in (
        opened(other_tenant, invoice, provider),
        canceled(other_tenant, page.payment_id, provider),
    ):
        with pytest.raises(Refusal, match="There is no"):
            await attempt


async def canceled(tenant, payment_id, provider):
    return await cancel_payment(tenant.tx, payment_id, providers=provider.providers, box=BOX)
