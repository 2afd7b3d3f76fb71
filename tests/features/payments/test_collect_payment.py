"""Is money booked once, whatever a provider answers and however often it is recorded?"""

from __future__ import annotations

import asyncio
import random
from datetime import date

import pytest

from billwright.features.invoicing.model import InvoiceState
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import (
    OutcomeUnknown,
    ProviderAnswer,
    ProviderUnavailable,
)
from billwright.features.payments.model import PaymentState
from billwright.features.payments.operations.record_attempt import record_attempt
from billwright.features.payments.sql.reads import attempts_of
from billwright.runtime.db.json import from_json
from tests.conftest import BOX
from tests.features.payments.paying import (
    DECLINED,
    PROCESSING,
    SUCCEEDED,
    TO_CONFIRM,
    TOTAL,
    ScriptedProvider,
    an_invoice,
    collect,
    events_of,
    invoice_now,
    pay,
    record,
    reserve,
)


async def attempt_states(tenant, payment):
    async with tenant.tx() as tx:
        return [attempt.state for attempt in await attempts_of(tx, payment.id)]


async def test_manual_money_settles_the_invoice(tenant):
    invoice = await an_invoice(tenant)
    attempt = await reserve(tenant, pay(invoice, received_on=date(2026, 1, 14)))
    payment = await collect(tenant, attempt)
    assert (payment.state, payment.unapplied_minor) == (PaymentState.SUCCEEDED, 0)
    settled = await invoice_now(tenant, invoice)
    assert (settled.state, settled.due_minor) == (InvoiceState.PAID, 0)
    [event] = await events_of(tenant, "payment.succeeded")
    assert (event["subject_id"], event["account_id"]) == (payment.id, invoice.account_id)
    data = from_json(event["data"])
    assert (data["amount_minor"], data["paid_on"]) == (TOTAL, "2026-01-14")
    assert len(await events_of(tenant, "invoice.paid")) == 1
    async with tenant.tx() as tx:
        actions = await tx.fetch(
            "select action from audit_entry where subject_id = $1 order by id", payment.id
        )
    assert [row["action"] for row in actions] == ["payment.start", "payment.record"]


@pytest.mark.parametrize("seed", range(3))
async def test_parts_add_up_to_the_whole(tenant, seed):
    chance = random.Random(seed)
    invoice = await an_invoice(tenant)
    left = TOTAL
    while left:
        part = chance.randint(1, left)
        await collect(tenant, await reserve(tenant, pay(invoice, part)))
        left -= part
        now = await invoice_now(tenant, invoice)
        assert now.due_minor == left
        assert now.state is (InvoiceState.PARTIALLY_PAID if left else InvoiceState.PAID)
    assert len(await events_of(tenant, "invoice.paid")) == 1


async def test_two_workers_that_record_the_same_answer_book_it_once(tenant):
    invoice = await an_invoice(tenant)
    attempt = await reserve(tenant, pay(invoice, 1000))
    payments = await asyncio.gather(
        *(record(tenant, attempt, SUCCEEDED) for _ in range(4)),
    )
    assert {payment.state for payment in payments} == {PaymentState.SUCCEEDED}
    assert (await invoice_now(tenant, invoice)).due_minor == TOTAL - 1000
    assert len(await events_of(tenant, "payment.succeeded")) == 1


@pytest.mark.parametrize(
    ("said", "attempt_state", "state"),
    [
        (DECLINED, AttemptState.DECLINED, PaymentState.FAILED),
        (ProviderUnavailable(), AttemptState.NOT_ATTEMPTED, PaymentState.FAILED),
        (OutcomeUnknown(), AttemptState.UNKNOWN, PaymentState.PENDING),
        (TimeoutError(), AttemptState.UNKNOWN, PaymentState.PENDING),
        (RuntimeError("a bug"), AttemptState.UNKNOWN, PaymentState.PENDING),
        (PROCESSING, AttemptState.PROCESSING, PaymentState.PENDING),
        (TO_CONFIRM, AttemptState.REQUIRES_ACTION, PaymentState.PENDING),
    ],
)
async def test_what_is_not_success_books_nothing(tenant, said, attempt_state, state):
    invoice = await an_invoice(tenant)
    provider = ScriptedProvider(said)
    attempt = await reserve(tenant, pay(invoice, provider="scripted"), provider.providers)
    payment = await collect(tenant, attempt, provider.providers)
    assert payment.state is state
    assert await attempt_states(tenant, payment) == [attempt_state]
    assert (await invoice_now(tenant, invoice)).due_minor == TOTAL
    assert len(await events_of(tenant, "payment.failed")) == (state is PaymentState.FAILED)


async def test_after_a_certain_no_a_new_payment_may_start(tenant):
    invoice = await an_invoice(tenant)
    declined = await record(tenant, await reserve(tenant, pay(invoice)), DECLINED)
    [event] = await events_of(tenant, "payment.failed")
    assert from_json(event["data"])["failure_code"] == "insufficient_funds"
    paid = await collect(tenant, await reserve(tenant, pay(invoice)))
    assert (declined.state, paid.state) == (PaymentState.FAILED, PaymentState.SUCCEEDED)


async def test_answers_that_come_late_change_nothing(tenant):
    invoice = await an_invoice(tenant)
    attempt = await reserve(tenant, pay(invoice))
    await record(tenant, attempt, SUCCEEDED)
    for late in (DECLINED, PROCESSING, ProviderAnswer(AttemptState.UNKNOWN), SUCCEEDED):
        payment = await record(tenant, attempt, late)
        assert payment.state is PaymentState.SUCCEEDED
    assert (await invoice_now(tenant, invoice)).due_minor == 0
    assert await events_of(tenant, "payment.failed") == []


async def test_money_that_comes_after_all_is_kept_even_when_nothing_is_due_any_more(tenant):
    invoice = await an_invoice(tenant)
    first = await reserve(tenant, pay(invoice))
    await record(tenant, first, DECLINED)
    await collect(tenant, await reserve(tenant, pay(invoice, 4000)))
    late = await record(tenant, first, SUCCEEDED)
    assert (late.state, late.unapplied_minor) == (PaymentState.SUCCEEDED, 4000)
    assert (await invoice_now(tenant, invoice)).due_minor == 0


async def test_the_same_attempt_collected_twice_books_once(tenant):
    invoice = await an_invoice(tenant)
    attempt = await reserve(tenant, pay(invoice, 1000))
    for _ in range(2):
        await collect(tenant, attempt)
    assert (await invoice_now(tenant, invoice)).paid_minor == 1000


async def test_another_tenant_cannot_record(tenant, other_tenant):
    invoice = await an_invoice(tenant)
    attempt = await reserve(tenant, pay(invoice))
    with pytest.raises(LookupError):
        await record(other_tenant, attempt, SUCCEEDED)
    assert (await invoice_now(tenant, invoice)).due_minor == TOTAL


async def test_an_answer_that_waited_for_the_lock_sees_what_was_booked_meanwhile(tenant):
    invoice = await an_invoice(tenant)
    attempt = await reserve(tenant, pay(invoice))
    async with tenant.tx() as tx:
        await record_attempt(tx, attempt_id=attempt.id, answer=SUCCEEDED, box=BOX)
        waiting = asyncio.create_task(record(tenant, attempt, DECLINED))
        await asyncio.sleep(0.2)
    assert (await waiting).state is PaymentState.SUCCEEDED
    assert await attempt_states(tenant, await waiting) == [AttemptState.SUCCEEDED]
    assert await events_of(tenant, "payment.failed") == []
