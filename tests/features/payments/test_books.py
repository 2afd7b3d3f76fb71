"""Is every minor unit that comes on the invoice or with the account, in whatever order it comes?"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from billwright.features.invoicing.model import InvoiceState
from billwright.features.invoicing.operations.mark_uncollectible import (
    MarkUncollectible,
    mark_uncollectible,
)
from billwright.features.invoicing.operations.void_invoice import VoidInvoice, void_invoice
from billwright.features.invoicing.sql.reads_credit import credit_balance, list_credit_entries
from billwright.features.payment_providers.model import AttemptState, Decline
from billwright.features.payment_providers.port import ProviderAnswer
from billwright.features.payments.model import PaymentState
from billwright.features.payments.operations.conclude_attempt import (
    ConcludeAttempt,
    Outcome,
    conclude_attempt,
)
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.json import from_json
from tests.conftest import BOX
from tests.features.payments.paying import (
    DECLINED,
    EUR,
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
    leave_card,
    pay,
    record,
    reserve,
    standing,
)

SCRIPTED = ScriptedProvider().providers
UNKNOWN = ProviderAnswer(AttemptState.UNKNOWN)
HISTORY = (UNKNOWN, TO_CONFIRM, PROCESSING, DECLINED, SUCCEEDED)


async def credit_of(tenant, invoice):
    async with tenant.tx() as tx:
        return (await credit_balance(tx, invoice.account_id, currency=EUR)).amount_minor


async def reviews_of(tenant):
    return sorted(
        from_json(row["data"])["kind"] for row in await events_of(tenant, "review.requested")
    )


def captured(amount_minor):
    return replace(SUCCEEDED, amount=euros(amount_minor))


@pytest.mark.parametrize("seed", range(6))
async def test_any_order_and_repetition_of_a_history_makes_the_same_books(tenant, seed):
    chance = random.Random(seed)
    answers = [*HISTORY, *chance.choices(HISTORY, k=4)]
    chance.shuffle(answers)
    invoice = await an_invoice(tenant)
    attempt = await reserve(tenant, pay(invoice, provider="scripted"), SCRIPTED)
    for answer in answers:
        await record(tenant, attempt, answer)
    payment, attempt = await standing(tenant, attempt.payment_id)
    assert (payment.state, payment.captured_minor) == (PaymentState.SUCCEEDED, TOTAL)
    assert (attempt.page_url_sealed, attempt.next_check_at) == (None, None)
    assert (await invoice_now(tenant, invoice)).state is InvoiceState.PAID
    assert await credit_of(tenant, invoice) == 0
    assert len(await events_of(tenant, "payment.succeeded")) == 1


@pytest.mark.parametrize("seed", range(4))
async def test_what_comes_is_what_is_applied_and_what_is_credited(tenant, seed):
    """Payments of any amounts, seen by hand, until well after the invoice is paid."""
    chance = random.Random(seed)
    invoice, came = await an_invoice(tenant), 0
    while came < 2 * TOTAL:
        amount = chance.choice([1, chance.randint(1, TOTAL), TOTAL])
        payment = await collect(tenant, await reserve(tenant, pay(invoice, amount)))
        came += amount
        now = await invoice_now(tenant, invoice)
        assert now.paid_minor + await credit_of(tenant, invoice) == came
        assert now.paid_minor == min(came, TOTAL)
        assert 0 <= payment.unapplied_minor <= payment.captured_minor == amount
    async with tenant.tx() as tx:
        entries = await list_credit_entries(
            tx, invoice.account_id, currency="EUR", before=None, limit=99
        )
    assert {entry.kind.value for entry in entries} == {"overpayment"}


@pytest.mark.parametrize(
    ("came", "paid", "credit", "state"),
    [
        # 46.29 were asked for.
        (TOTAL - 1, TOTAL - 1, 0, InvoiceState.PARTIALLY_PAID),
        (TOTAL + 1, TOTAL, 1, InvoiceState.PAID),
        (0, 0, 0, InvoiceState.OPEN),
    ],
)
async def test_another_amount_than_was_asked_for_is_booked_and_shown(
    tenant, came, paid, credit, state
):
    invoice = await an_invoice(tenant)
    attempt = await reserve(tenant, pay(invoice, provider="scripted"), SCRIPTED)
    payment = await record(tenant, attempt, captured(came))
    assert (payment.captured_minor, payment.unapplied_minor) == (came, credit)
    now = await invoice_now(tenant, invoice)
    assert (now.state, now.paid_minor) == (state, paid)
    assert await credit_of(tenant, invoice) == credit
    assert await reviews_of(tenant) == ["amount_differs"]
    [event] = await events_of(tenant, "payment.succeeded")
    data = from_json(event["data"])
    assert (data["amount_minor"], data["asked_minor"]) == (came, TOTAL)


async def test_money_for_a_void_invoice_is_credited_and_shown_once(tenant):
    invoice = await an_invoice(tenant)
    attempt = await reserve(tenant, pay(invoice, provider="scripted"), SCRIPTED)
    async with tenant.tx() as tx:
        await void_invoice(tx, VoidInvoice(invoice_id=invoice.id, reason="mistake"))
    for _ in range(2):
        payment = await record(tenant, attempt, SUCCEEDED)
    assert (payment.captured_minor, payment.unapplied_minor) == (TOTAL, TOTAL)
    assert await credit_of(tenant, invoice) == TOTAL
    assert await reviews_of(tenant) == ["late_payment"]


async def test_money_for_an_invoice_that_was_given_up_pays_it(tenant):
    """20.00 of 46.29 leave it given up; 26.29 more pay it."""
    invoice = await an_invoice(tenant)
    async with tenant.tx() as tx:
        await mark_uncollectible(tx, MarkUncollectible(invoice_id=invoice.id, reason="gone"))
    await collect(tenant, await reserve(tenant, pay(invoice, 2000)))
    part = await invoice_now(tenant, invoice)
    assert (part.state, part.due_minor) == (InvoiceState.UNCOLLECTIBLE, 2629)
    await collect(tenant, await reserve(tenant, pay(invoice, 2629)))
    assert (await invoice_now(tenant, invoice)).state is InvoiceState.PAID
    assert await credit_of(tenant, invoice) == 0
    assert await reviews_of(tenant) == []


async def test_money_in_another_currency_is_not_understood(tenant):
    invoice = await an_invoice(tenant)
    attempt = await reserve(tenant, pay(invoice, provider="scripted"), SCRIPTED)
    dollars = replace(SUCCEEDED, amount=Money(TOTAL, currency_of("USD")))
    payment = await record(tenant, attempt, dollars)
    _, attempt = await standing(tenant, payment.id)
    assert (payment.state, attempt.state) == (PaymentState.PENDING, AttemptState.UNKNOWN)
    assert await reviews_of(tenant) == ["amount_differs"]


@pytest.mark.parametrize(
    ("said", "decline", "is_usable"),
    [
        (DECLINED, Decline.SOFT, True),
        (LOST_CARD, Decline.HARD, False),
        (replace(LOST_CARD, failure_code="authentication_required"), Decline.HARD, True),
        (replace(LOST_CARD, failure_code="amount_unsupported"), Decline.HARD, True),
    ],
)
async def test_a_no_for_good_ends_the_use_of_the_method(tenant, said, decline, is_usable):
    invoice = await an_invoice(tenant)
    await leave_card(tenant, invoice)
    provider = ScriptedProvider(said)
    attempt = await reserve(tenant, pay(invoice, provider="scripted"), provider.providers)
    payment = await collect(tenant, attempt, provider.providers)
    _, attempt = await standing(tenant, payment.id)
    assert (payment.state, attempt.decline) == (PaymentState.FAILED, decline)
    again = await reserve(tenant, pay(invoice, provider="scripted"), provider.providers)
    payment, _ = await standing(tenant, again.payment_id)
    assert (payment.saved_method_id is not None) is is_usable


@pytest.mark.parametrize(
    ("outcome", "state", "paid"),
    [
        (Outcome.SUCCEEDED, PaymentState.SUCCEEDED, TOTAL),
        (Outcome.DECLINED, PaymentState.FAILED, 0),
        (Outcome.NOT_ATTEMPTED, PaymentState.FAILED, 0),
    ],
)
async def test_a_person_says_what_became_of_it(tenant, outcome, state, paid):
    invoice = await an_invoice(tenant)
    attempt = await reserve(tenant, pay(invoice, provider="scripted"), SCRIPTED)
    command = ConcludeAttempt(payment_id=attempt.payment_id, outcome=outcome, note="seen")
    with pytest.raises(Refusal, match="the provider says itself"):
        await conclude(tenant, command)
    await record(tenant, attempt, UNKNOWN)
    assert (await conclude(tenant, command)).state is state
    assert (await invoice_now(tenant, invoice)).paid_minor == paid
    with pytest.raises(Refusal, match="the provider says itself"):
        await conclude(tenant, command)


async def test_money_that_comes_after_a_person_said_no_is_booked_all_the_same(tenant):
    invoice = await an_invoice(tenant)
    attempt = await reserve(tenant, pay(invoice, provider="scripted"), SCRIPTED)
    await record(tenant, attempt, UNKNOWN)
    outcome = Outcome.NOT_ATTEMPTED
    await conclude(
        tenant, ConcludeAttempt(payment_id=attempt.payment_id, outcome=outcome, note="not there")
    )
    await record(tenant, attempt, SUCCEEDED)
    assert (await invoice_now(tenant, invoice)).paid_minor == TOTAL


async def conclude(tenant, command):
    async with tenant.tx() as tx:
        return await conclude_attempt(tx, command, box=BOX)
