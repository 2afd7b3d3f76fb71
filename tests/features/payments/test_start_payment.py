"""When is a payment refused, and what is reserved when it is not?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from billwright.features.accounts.operations.create_test_clock import create_test_clock
from billwright.features.payments.model import AttemptState, PaymentState
from billwright.features.payments.operations.collect_payment import collect_payment
from billwright.features.payments.operations.start_payment import start_payment
from billwright.features.payments.sql.reads import attempts_of, list_payments, payment_by_id
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.kernel.refusal import Refusal
from tests.features.payments.paying import (
    MANUAL,
    TOTAL,
    an_invoice,
    euros,
    pay,
    reserve,
)


async def test_a_reservation_is_a_pending_payment_with_an_attempt(tenant, clock):
    invoice = await an_invoice(tenant)
    reservation = await reserve(tenant, pay(invoice))
    async with tenant.tx() as tx:
        payment = await payment_by_id(tx, reservation.attempt.payment_id)
        attempts = await attempts_of(tx, payment.id)
    assert (payment.state, payment.amount) == (PaymentState.PENDING, euros(TOTAL))
    assert attempts == [reservation.attempt]
    assert attempts[0].state is AttemptState.CREATED
    assert attempts[0].next_check_at == clock.now() + timedelta(minutes=1)
    request = reservation.request
    assert request.provider_key == f"attempt:{attempts[0].id}"
    assert (request.amount, request.invoice_number) == (euros(TOTAL), invoice.number)
    assert request.payer.name == "Riverbank Books"


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"provider": "nobody"}, "provider_unknown", "/provider"),
        ({"invoice_id": uuid4()}, "invoice_unknown_here", "/invoice_id"),
        ({"amount": Money(100, currency_of("USD"))}, "currency_mismatch", "/amount/currency"),
        ({"amount": euros(0)}, "amount_not_positive", "/amount/amount"),
        ({"amount": euros(-1)}, "amount_not_positive", "/amount/amount"),
        ({"amount": euros(TOTAL + 1)}, "amount_above_due", "/amount/amount"),
    ],
)
async def test_a_wrong_request_is_refused_and_leaves_nothing(tenant, changes, code, pointer):
    invoice = await an_invoice(tenant)
    with pytest.raises(Refusal) as refused:
        await reserve(tenant, pay(invoice, **changes))
    assert refused.value.code == code
    assert [problem.pointer for problem in refused.value.problems] == [pointer]
    async with tenant.tx() as tx:
        assert await list_payments(tx, before=None, limit=10) == []


async def test_an_invoice_has_one_live_attempt(tenant):
    invoice = await an_invoice(tenant)
    await reserve(tenant, pay(invoice, 100))
    with pytest.raises(Refusal) as refused:
        await reserve(tenant, pay(invoice, 100))
    assert refused.value.code == "payment_in_progress"


async def test_of_many_that_start_at_once_one_is_reserved(tenant):
    invoice = await an_invoice(tenant)
    results = await asyncio.gather(
        *(reserve(tenant, pay(invoice)) for _ in range(5)), return_exceptions=True
    )
    refused = [result.code for result in results if isinstance(result, Refusal)]
    assert refused == ["payment_in_progress"] * 4
    async with tenant.tx() as tx:
        assert len(await list_payments(tx, before=None, limit=10)) == 1


async def test_a_paid_invoice_takes_no_payment(tenant):
    invoice = await an_invoice(tenant)
    await collect_payment(tenant.tx, await reserve(tenant, pay(invoice)), providers=MANUAL)
    with pytest.raises(Refusal) as refused:
        await reserve(tenant, pay(invoice, 1))
    assert refused.value.code == "invoice_not_payable"


async def test_another_tenant_sees_neither_invoice_nor_payment(tenant, other_tenant):
    invoice = await an_invoice(tenant)
    with pytest.raises(Refusal, match="no invoice"):
        await reserve(other_tenant, pay(invoice))
    reservation = await reserve(tenant, pay(invoice))
    async with other_tenant.tx() as tx:
        assert await list_payments(tx, before=None, limit=10) == []
        with pytest.raises(Refusal, match="no payment"):
            await payment_by_id(tx, reservation.attempt.payment_id)


async def test_payments_are_listed_newest_first_by_invoice_account_and_state(tenant):
    invoice = await an_invoice(tenant)
    for amount in (1, 2, 3):
        await collect_payment(
            tenant.tx, await reserve(tenant, pay(invoice, amount)), providers=MANUAL
        )
    await reserve(tenant, pay(invoice, 4))
    async with tenant.tx() as tx:
        whole = await list_payments(tx, before=None, limit=10, invoice_id=invoice.id)
        rest = await list_payments(tx, before=whole[1].id, limit=10, account_id=invoice.account_id)
        pending = await list_payments(tx, before=None, limit=10, state=PaymentState.PENDING)
        none = await list_payments(tx, before=None, limit=10, account_id=uuid4())
    assert [payment.amount.amount_minor for payment in whole] == [4, 3, 2, 1]
    assert rest == whole[2:]
    assert pending == whole[:1]
    assert none == []


async def test_on_a_test_clock_the_payment_has_its_time_and_the_attempt_the_machine_s(
    tenant, clock
):
    long_ago = datetime(2020, 3, 1, tzinfo=UTC)
    async with tenant.tx() as tx:
        own_clock = await create_test_clock(tx, name="old days", now=long_ago)
    invoice = await an_invoice(tenant, test_clock_id=own_clock.id)
    async with tenant.tx() as tx:
        reservation = await start_payment(tx, pay(invoice), providers=MANUAL)
    payment = await collect_payment(tenant.tx, reservation, providers=MANUAL)
    assert reservation.attempt.created_at == clock.now()
    assert (payment.created_at, payment.updated_at) == (long_ago, long_ago)
