"""Does money go back once, from where it came, and do the books say so?"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.invoicing.model import InvoiceState, Surplus
from billwright.features.invoicing.operations.bill_charges import bill_charges
from billwright.features.invoicing.operations.credit_invoice import CreditInvoice, credit_invoice
from billwright.features.invoicing.operations.grant_credit import ChangeCredit, withdraw_credit
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.invoicing.operations.settle_invoice import settle_invoice
from billwright.features.invoicing.rules.credit_allocation import Allocation
from billwright.features.invoicing.sql.reads import charges_of_invoice, list_invoices
from billwright.features.refunds.model import RefundOrigin, RefundState
from billwright.features.refunds.operations.record_refund import record_refund
from billwright.features.refunds.operations.refund_payment import RefundSource
from billwright.features.refunds.sql.reads import refund_by_id
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.kernel.refusal import Refusal
from tests.conftest import Tenant
from tests.features.invoicing.charging import a_draft, the_rest_of
from tests.features.refunds.refunding import GIVEN_BACK, REFUSED, Bank, Till, an_invoice, euros


@pytest.fixture
def till(tenant: Tenant) -> Till:
    return Till(tenant, Bank())


async def notes_on(till: Till, invoice_id: UUID) -> list[Any]:
    async with till.tenant.tx() as tx:
        return await list_invoices(tx, before=None, limit=100, corrects_invoice_id=invoice_id)


async def a_note(till: Till, invoice_id: UUID, refund_minor: int) -> UUID:
    """A credit note that promises to pay so much back."""
    async with till.tenant.tx() as tx:
        note = await credit_invoice(
            tx,
            CreditInvoice(
                invoice_id=invoice_id,
                reason="returned",
                gross_minor=refund_minor,
                allocation=Allocation(to_refund_minor=refund_minor),
            ),
        )
        return note.id


async def test_a_part_goes_back_with_a_credit_note_of_exactly_that(till: Till):
    # 100.00 plus 19 % is 119.00; 23.80 of that is 20.00 and 3.80 tax.
    payment = await till.a_payment(10000)
    refund = await till.refunded(payment, amount=euros(2380))
    assert (refund.state, refund.provider_reference) == (RefundState.SUCCEEDED, "re-1")
    assert (refund.origin, refund.next_check_at) == (RefundOrigin.REQUESTED, None)
    (request,) = till.bank.asked
    assert (request.amount, request.reason) == (euros(2380), "outage")
    assert (request.provider_key, request.tenant_id) == (f"refund:{refund.id}", till.tenant.id)
    assert request.payment_reference.startswith("pay-")
    (note,) = await notes_on(till, payment.invoice_id)
    assert note.id == refund.credit_note_id
    assert (note.subtotal_minor, note.tax_minor, note.total_minor) == (-2000, -380, -2380)
    assert (note.to_refund_minor, note.reason) == (2380, "outage")
    assert (await till.payment(payment)).refunded_minor == 2380
    invoice = await till.invoice(payment)
    assert (invoice.state, invoice.paid_minor, invoice.due_minor) == (InvoiceState.PAID, 11900, 0)
    assert await till.events("refund.%") == ["refund.succeeded"]
    assert [one.id for one in await till.refunds()] == [refund.id]  # the note promised nothing more


async def test_the_rest_goes_back_and_then_nothing_is_left(till: Till):
    payment = await till.a_payment(2900, 990)  # 46.29
    await till.refunded(payment, amount=euros(1001))
    refund = await till.refunded(payment)
    assert refund.amount == euros(3628)
    assert (await till.payment(payment)).refunded_minor == payment.captured_minor == 4629
    with pytest.raises(Refusal) as refused:
        await till.refunded(payment)
    assert refused.value.code == "nothing_to_refund"
    assert len(till.bank.asked) == 2


@pytest.mark.parametrize(
    ("amount", "code", "pointer"),
    [
        (euros(11901), "refund_above_left", "/amount/amount"),
        (euros(0), "refund_not_positive", "/amount/amount"),
        (euros(-1), "refund_not_positive", "/amount/amount"),
        (Money(100, currency_of("USD")), "currency_mismatch", "/amount/currency"),
    ],
)
async def test_an_amount_that_does_not_fit_is_refused(till: Till, amount, code, pointer):
    payment = await till.a_payment(10000)
    with pytest.raises(Refusal) as refused:
        await till.reserved(payment, amount=amount)
    assert (refused.value.code, refused.value.problems[0].pointer) == (code, pointer)
    assert (await till.refunds(), await notes_on(till, payment.invoice_id)) == ([], [])


async def test_what_a_note_left_with_the_account_is_not_refunded_as_well(till: Till):
    payment = await till.a_payment(10000)
    async with till.tenant.tx() as tx:
        await credit_invoice(
            tx, CreditInvoice(invoice_id=payment.invoice_id, reason="sorry", gross_minor=1900)
        )
    assert await till.credit(payment) == 1900
    assert (await till.refunded(payment)).amount == euros(10000)


async def test_a_note_sends_what_it_promises_from_the_newest_payment_first(till: Till):
    async with till.tenant.tx() as tx:
        invoice_id = await an_invoice(tx, 10000)
    first = await till.paid(invoice_id, 5000)
    second = await till.paid(invoice_id)
    note_id = await a_note(till, invoice_id, 9000)
    newest, older = await till.refunds(credit_note_id=note_id)
    assert (newest.payment_id, newest.amount) == (second.id, euros(6900))
    assert (older.payment_id, older.amount) == (first.id, euros(2100))
    assert {newest.origin, older.origin} == {RefundOrigin.CREDIT_NOTE}
    assert (newest.state, newest.reason) == (RefundState.CREATED, "CN-2026-00001")
    assert (await till.payment(first)).refunded_minor == 2100
    assert [(await till.executed(one)).state for one in (newest, older)] == ["succeeded"] * 2
    assert await till.tasks() == []


async def test_the_billing_runs_own_notes_are_refunded_too(till: Till):
    payment = await till.a_payment(10000)
    async with till.tenant.tx() as tx:
        (live,) = await charges_of_invoice(tx, payment.invoice_id)
        account = await account_by_id(tx, payment.account_id)
        rest = the_rest_of(live, 5000, tax_rate=live.charge.tax_rate)
        await bill_charges(tx, [a_draft(account, rest, surplus=Surplus.TO_REFUND)])
    (refund,) = await till.refunds()
    # 50.00 plus 19 %
    assert (refund.amount, refund.origin) == (euros(5950), RefundOrigin.CREDIT_NOTE)
    assert refund.payment_id == payment.id


async def test_what_no_payment_has_is_for_a_person(till: Till):
    async with till.tenant.tx() as tx:
        invoice_id = await an_invoice(tx, 10000)
        await settle_invoice(tx, await lock_invoice(tx, invoice_id), amount_minor=11900)
    await a_note(till, invoice_id, 2380)
    assert (await till.refunds(), await till.tasks()) == ([], ["refund_failed"])


async def test_money_that_found_nothing_due_goes_back_from_the_credit(till: Till):
    payment = await till.a_payment(10000, paid_minor=15000)
    assert (payment.unapplied_minor, await till.credit(payment)) == (3100, 3100)
    refund = await till.refunded(payment, source=RefundSource.CREDIT, amount=euros(1000))
    assert (refund.credit_note_id, refund.is_from_credit) == (None, True)
    assert await till.credit(payment) == 2100
    assert await notes_on(till, payment.invoice_id) == []
    # The other part is not touched by that: all of the 119.00 can still go back.
    assert (await till.refunded(payment)).amount == euros(11900)
    assert (await till.refunded(payment, source=RefundSource.CREDIT)).amount == euros(2100)
    assert (await till.credit(payment), (await till.payment(payment)).refunded_minor) == (0, 15000)


async def test_credit_that_was_used_does_not_go_back(till: Till):
    payment = await till.a_payment(10000, paid_minor=15000)
    async with till.tenant.tx() as tx:
        used = ChangeCredit(account_id=payment.account_id, amount=euros(2500), reason="used")
        await withdraw_credit(tx, used)
    assert (await till.refunded(payment, source=RefundSource.CREDIT)).amount == euros(600)


async def test_two_at_once_do_not_give_the_same_money_back(till: Till):
    payment = await till.a_payment(10000)
    outcomes = await asyncio.gather(
        *(till.refunded(payment, amount=euros(4000)) for _ in range(4)), return_exceptions=True
    )
    refused = [one for one in outcomes if isinstance(one, Refusal)]
    assert {one.code for one in refused} <= {"refund_above_left"}
    assert len(outcomes) - len(refused) == len(till.bank.asked) == 2
    assert (await till.payment(payment)).refunded_minor == 8000


async def test_two_workers_ask_once(till: Till):
    payment = await till.a_payment(10000)
    refund = await till.reserved(payment)
    await asyncio.gather(*(till.executed(refund) for _ in range(4)))
    assert len(till.bank.asked) == 1
    (stored,) = await till.refunds()
    assert stored.state is RefundState.SUCCEEDED


async def test_a_refund_that_fails_gives_its_part_back_once(till: Till):
    till.bank.script = [REFUSED]
    payment = await till.a_payment(10000)
    refund = await till.refunded(payment, amount=euros(1190))
    assert (refund.state, refund.failure_code) == (RefundState.FAILED, "expired_or_canceled_card")
    assert (await till.payment(payment)).refunded_minor == 0
    async with till.tenant.tx() as tx:
        await record_refund(tx, refund_id=refund.id, answer=REFUSED)
    assert (await till.events("refund.%"), await till.tasks()) == (
        ["refund.failed"],
        ["refund_failed"],
    )


async def test_a_bank_that_returns_a_refund_from_credit_returns_the_credit(till: Till):
    payment = await till.a_payment(10000, paid_minor=15000)
    refund = await till.reserved(payment, source=RefundSource.CREDIT)
    assert await till.credit(payment) == 0
    async with till.tenant.tx() as tx:
        await record_refund(tx, refund_id=refund.id, answer=GIVEN_BACK)
        await record_refund(tx, refund_id=refund.id, answer=REFUSED)
        await record_refund(tx, refund_id=refund.id, answer=GIVEN_BACK)
    assert (await till.credit(payment), (await till.payment(payment)).refunded_minor) == (3100, 0)
    assert await till.events("refund.%") == ["refund.succeeded", "refund.failed"]


async def test_another_tenants_payment_and_refund_are_invisible(till: Till, other_tenant: Tenant):
    payment = await till.a_payment(10000)
    refund = await till.refunded(payment)
    other = Till(other_tenant, Bank())
    with pytest.raises(Refusal) as refused:
        await other.refunded(payment)
    assert refused.value.code == "payment_unknown"
    async with other_tenant.tx() as tx:
        with pytest.raises(Refusal) as refused:
            await refund_by_id(tx, refund.id)
    assert (refused.value.code, await other.refunds()) == ("refund_unknown", [])
