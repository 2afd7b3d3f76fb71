"""When is a payment refused, and what is reserved when it is not?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from billwright.features.accounts.operations.create_test_clock import create_test_clock
from billwright.features.invoicing.operations.create_manual_invoice import (
    CreateManualInvoice,
    create_manual_invoice,
)
from billwright.features.invoicing.operations.credit_invoice import CreditInvoice, credit_invoice
from billwright.features.invoicing.rules.manual_line import ManualLine
from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.payment_methods.operations.remove_method import remove_method
from billwright.features.payment_providers.model import AttemptState, PaymentMethod
from billwright.features.payment_providers.port import PaymentProviders
from billwright.features.payments.model import PaymentState
from billwright.features.payments.operations.start_payment import start_payment
from billwright.features.payments.sql.reads import attempts_of, list_payments, payment_by_id
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.kernel.refusal import Refusal
from tests.features.billing import a_subscription, an_account
from tests.features.payments.paying import (
    MANUAL,
    SUCCEEDED,
    TOTAL,
    ScriptedProvider,
    an_invoice,
    collect,
    euros,
    leave_card,
    pay,
    reserve,
)

SCRIPTED = PaymentProviders({**MANUAL, **ScriptedProvider().providers})


async def test_a_reservation_is_a_pending_payment_with_an_attempt(tenant, clock):
    invoice = await an_invoice(tenant)
    attempt = await reserve(tenant, pay(invoice))
    async with tenant.tx() as tx:
        payment = await payment_by_id(tx, attempt.payment_id)
        attempts = await attempts_of(tx, payment.id)
    assert (payment.state, payment.amount) == (PaymentState.PENDING, euros(TOTAL))
    assert attempts == [attempt]
    assert attempts[0].state is AttemptState.CREATED
    assert attempts[0].next_check_at == clock.now() + timedelta(minutes=1)
    assert attempts[0].provider_key == f"attempt:{attempts[0].id}"


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"provider": "nobody"}, "provider_unknown", "/provider"),
        ({"invoice_id": uuid4()}, "invoice_unknown_here", "/invoice_id"),
        ({"amount": Money(100, currency_of("USD"))}, "currency_mismatch", "/amount/currency"),
        ({"amount": euros(0)}, "amount_not_positive", "/amount/amount"),
        ({"amount": euros(-1)}, "amount_not_positive", "/amount/amount"),
        (
            {"amount": euros(TOTAL + 1), "provider": "scripted"},
            "amount_above_due",
            "/amount/amount",
        ),
        (
            {"payment_method_id": uuid4()},
            "payment_method_unknown_here",
            "/payment_method_id",
        ),
    ],
)
async def test_a_wrong_request_is_refused_and_leaves_nothing(tenant, changes, code, pointer):
    invoice = await an_invoice(tenant)
    with pytest.raises(Refusal) as refused:
        await reserve(tenant, pay(invoice, **changes), SCRIPTED)
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


async def test_nobody_is_asked_to_pay_a_paid_invoice(tenant):
    invoice = await an_invoice(tenant)
    await collect(tenant, await reserve(tenant, pay(invoice)))
    with pytest.raises(Refusal) as refused:
        await reserve(tenant, pay(invoice, 1, provider="scripted"), SCRIPTED)
    assert refused.value.code == "invoice_not_payable"


async def test_money_that_was_seen_is_booked_for_documents_that_are_owed_only(tenant):
    """A draft and a credit note are no debts, so that nobody can have paid them."""
    invoice = await an_invoice(tenant)
    async with tenant.tx() as tx:
        line = ManualLine(description="Training", quantity=Decimal(1), unit_price=Decimal(100))
        draft = await create_manual_invoice(
            tx, CreateManualInvoice(account_id=invoice.account_id, lines=(line,))
        )
        note = await credit_invoice(tx, CreditInvoice(invoice_id=invoice.id, reason="sorry"))
    for document in (draft, note):
        with pytest.raises(Refusal) as refused:
            await reserve(tenant, pay(document, 1))
        assert refused.value.code == "invoice_not_payable"


async def test_the_default_method_is_used_where_its_provider_is_asked(tenant):
    invoice = await an_invoice(tenant)
    method_id = await leave_card(tenant, invoice)
    provider = ScriptedProvider(SUCCEEDED)
    attempt = await reserve(tenant, pay(invoice, 1000, provider="scripted"), provider.providers)
    payment = await collect(tenant, attempt, provider.providers)
    assert (payment.saved_method_id, payment.method) == (method_id, PaymentMethod.CARD)
    [request] = provider.requests
    assert request.saved_method is not None
    assert (request.saved_method.reference, request.payer.reference) == ("card-1", "payer-1")
    by_hand = await collect(tenant, await reserve(tenant, pay(invoice, 1000)))
    assert by_hand.saved_method_id is None


async def test_a_method_that_is_named_says_which_provider_is_asked(tenant):
    invoice = await an_invoice(tenant)
    await leave_card(tenant, invoice)
    other = await leave_card(tenant, invoice, reference="card-2")
    command = pay(invoice, provider=None, payment_method_id=other)
    attempt = await reserve(tenant, command, SCRIPTED)
    assert attempt.provider == "scripted"
    with pytest.raises(Refusal) as refused:
        await reserve(tenant, pay(invoice, provider="manual", payment_method_id=other), SCRIPTED)
    assert refused.value.code == "payment_method_elsewhere"


async def test_a_method_of_somebody_else_or_one_that_was_removed_is_none(tenant, other_tenant):
    invoice = await an_invoice(tenant)
    removed = await leave_card(tenant, invoice)
    async with tenant.tx() as tx:
        await remove_method(tx, removed)
        neighbor = await a_subscription(tx, await an_account(tx, name="Hillside Tea"))
    of_neighbor = await leave_card(tenant, await stored(tenant, neighbor), reference="card-2")
    elsewhere = await leave_card(other_tenant, await an_invoice(other_tenant))
    for method_id in (removed, of_neighbor, elsewhere):
        with pytest.raises(Refusal) as refused:
            await reserve(tenant, pay(invoice, payment_method_id=method_id), SCRIPTED)
        assert refused.value.code == "payment_method_unknown_here"


async def stored(tenant, started):
    async with tenant.tx() as tx:
        return await invoice_by_id(tx, started.billed.documents[0].id)


async def test_another_tenant_sees_neither_invoice_nor_payment(tenant, other_tenant):
    invoice = await an_invoice(tenant)
    with pytest.raises(Refusal, match="no invoice"):
        await reserve(other_tenant, pay(invoice))
    attempt = await reserve(tenant, pay(invoice))
    async with other_tenant.tx() as tx:
        assert await list_payments(tx, before=None, limit=10) == []
        with pytest.raises(Refusal, match="no payment"):
            await payment_by_id(tx, attempt.payment_id)


async def test_payments_are_listed_newest_first_by_invoice_account_and_state(tenant):
    invoice = await an_invoice(tenant)
    for amount in (1, 2, 3):
        await collect(tenant, await reserve(tenant, pay(invoice, amount)))
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
        attempt = await start_payment(tx, pay(invoice), providers=MANUAL)
    payment = await collect(tenant, attempt)
    assert attempt.created_at == clock.now()
    assert (payment.created_at, payment.updated_at) == (long_ago, long_ago)
