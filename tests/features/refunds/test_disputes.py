"""What is booked when a payer's bank wants money back?"""

from __future__ import annotations

import asyncio
from itertools import permutations
from typing import Any

import pytest

from billwright.features.invoicing.model import InvoiceState
from billwright.features.invoicing.operations.credit_invoice import CreditInvoice, credit_invoice
from billwright.features.invoicing.operations.grant_credit import ChangeCredit, withdraw_credit
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.invoicing.operations.mark_uncollectible import (
    MarkUncollectible,
    mark_uncollectible,
)
from billwright.features.invoicing.operations.reverse_settlement import reverse_settlement
from billwright.features.invoicing.rules.credit_allocation import Allocation
from billwright.features.payment_providers.model import DisputeState
from billwright.features.payment_providers.port import Dispute
from billwright.features.payments.model import Payment
from billwright.features.refunds.model import StoredDispute
from billwright.features.refunds.operations.record_dispute import record_dispute
from billwright.features.refunds.operations.refund_payment import RefundSource
from billwright.features.refunds.sql.reads import dispute_by_id, list_disputes
from billwright.kernel.refusal import Refusal
from tests.conftest import NOON, Tenant
from tests.features.refunds.refunding import Bank, Till, an_invoice, euros
from tests.features.refunds.test_external_refunds import reference_of, told

OPEN, WON, LOST = DisputeState


@pytest.fixture
def till(tenant: Tenant) -> Till:
    return Till(tenant, Bank())


async def news(till: Till, payment: Payment, state: DisputeState, amount_minor: int) -> bool:
    dispute = Dispute(
        reference="dp-1",
        payment_reference=await reference_of(till, payment),
        state=state,
        amount=euros(amount_minor),
        reason="fraudulent",
        respond_by=NOON,
    )
    async with till.tenant.tx() as tx:
        return await record_dispute(tx, dispute, provider=payment.provider)


async def disputes(till: Till) -> list[StoredDispute]:
    async with till.tenant.tx() as tx:
        return await list_disputes(tx, before=None, limit=100)


async def details_of(till: Till, kind: str) -> dict[str, Any]:
    async with till.tenant.tx() as tx:
        row = await tx.fetch_row(
            """select (details ->> 'from_invoice_minor')::int as invoice,
                   (details ->> 'from_credit_minor')::int as credit,
                   (details ->> 'unbooked_minor')::int as unbooked
               from review_task where kind = $1""",
            kind,
        )
        assert row is not None
        return dict(row)


async def test_an_open_dispute_moves_nothing_and_cannot_be_refunded_as_well(till: Till):
    payment = await till.a_payment(10000)
    assert await news(till, payment, OPEN, 5000)
    (dispute,) = await disputes(till)
    assert (dispute.state, dispute.amount, dispute.respond_by) == (OPEN, euros(5000), NOON)
    assert (await till.invoice(payment)).state is InvoiceState.PAID
    assert (await till.tasks(), await till.events("dispute.%")) == (
        ["dispute_opened"],
        ["dispute.opened"],
    )
    with pytest.raises(Refusal) as refused:
        await till.reserved(payment, amount=euros(6901))
    assert refused.value.code == "refund_above_left"
    await news(till, payment, WON, 5000)
    assert (await till.refunded(payment)).amount == euros(11900)


async def test_a_lost_dispute_makes_its_invoice_due_again(till: Till):
    payment = await till.a_payment(10000)
    await news(till, payment, OPEN, 11900)
    await news(till, payment, LOST, 11900)
    invoice = await till.invoice(payment)
    assert (invoice.state, invoice.paid_minor, invoice.due_minor) == (InvoiceState.OPEN, 0, 11900)
    assert (invoice.paid_at, invoice.collect_at) == (None, None)
    assert await till.tasks() == ["dispute_opened", "dispute_lost"]
    assert await till.events("dispute.%") == ["dispute.opened", "dispute.closed"]
    assert (await till.events("invoice.%"))[-1] == "invoice.reopened"
    with pytest.raises(Refusal) as refused:
        await till.refunded(payment)
    assert refused.value.code == "nothing_to_refund"
    # It can be paid anew.
    await till.paid(payment.invoice_id)
    assert (await till.invoice(payment)).state is InvoiceState.PAID


async def test_a_part_that_is_lost_leaves_a_part_paid(till: Till):
    payment = await till.a_payment(10000)
    await news(till, payment, LOST, 1900)
    invoice = await till.invoice(payment)
    assert (invoice.state, invoice.due_minor) == (InvoiceState.PARTIALLY_PAID, 1900)


async def test_what_was_refunded_before_is_not_owed_again(till: Till):
    # Of 119.00, 19.00 went back with a note. The bank takes all 119.00: 100.00 are due again, and the
    # seller has lost 19.00.
    payment = await till.a_payment(10000)
    await till.refunded(payment, amount=euros(1900))
    await news(till, payment, LOST, 11900)
    invoice = await till.invoice(payment)
    assert (invoice.paid_minor, invoice.due_minor) == (1900, 10000)
    assert await details_of(till, "dispute_lost") == {
        "invoice": 10000,
        "credit": 0,
        "unbooked": 1900,
    }


async def test_what_went_back_at_the_provider_is_not_owed_again_either(till: Till):
    payment = await till.a_payment(10000)
    await told(till, await reference_of(till, payment), 1900)
    await news(till, payment, LOST, 10000)
    assert (await till.invoice(payment)).due_minor == 10000


async def test_money_that_became_credit_is_taken_from_the_credit(till: Till):
    # 150.00 came for 119.00, and 10.00 of the credit of 31.00 was used since: 21.00 are there.
    payment = await till.a_payment(10000, paid_minor=15000)
    async with till.tenant.tx() as tx:
        used = ChangeCredit(account_id=payment.account_id, amount=euros(1000), reason="used")
        await withdraw_credit(tx, used)
        await tx.execute("update payment_attempt set provider_reference = 'tr-1'")
    await news(till, payment, LOST, 15000)
    assert (await till.invoice(payment)).due_minor == 11900
    assert await till.credit(payment) == 0
    assert await details_of(till, "dispute_lost") == {
        "invoice": 11900,
        "credit": 2100,
        "unbooked": 1000,
    }
    with pytest.raises(Refusal) as refused:
        await till.refunded(payment, source=RefundSource.CREDIT)
    assert refused.value.code == "nothing_to_refund"


async def test_an_invoice_that_was_given_up_stays_so(till: Till):
    async with till.tenant.tx() as tx:
        invoice_id = await an_invoice(tx, 10000)
    payment = await till.paid(invoice_id, 5000)
    async with till.tenant.tx() as tx:
        await mark_uncollectible(tx, MarkUncollectible(invoice_id=invoice_id, reason="gone"))
    await news(till, payment, LOST, 5000)
    invoice = await till.invoice(payment)
    assert (invoice.state, invoice.due_minor) == (InvoiceState.UNCOLLECTIBLE, 11900)


@pytest.mark.parametrize("order", list(permutations((OPEN, WON, LOST, LOST))))
async def test_any_order_of_news_leaves_the_same_books(till: Till, order):
    payment = await till.a_payment(10000)
    for state in order:
        assert await news(till, payment, state, 11900)
    (dispute,) = await disputes(till)
    invoice = await till.invoice(payment)
    assert (dispute.state, invoice.due_minor, invoice.paid_minor) == (LOST, 11900, 0)
    assert (await till.tasks()).count("dispute_lost") == 1
    assert (await till.events("invoice.reopened")) == ["invoice.reopened"]


async def test_two_workers_book_a_loss_once(till: Till):
    payment = await till.a_payment(10000)
    await asyncio.gather(*(news(till, payment, LOST, 5000) for _ in range(4)))
    assert len(await disputes(till)) == 1
    assert (await till.invoice(payment)).due_minor == 5000


async def test_what_is_not_known_yet_may_come_again(till: Till, other_tenant: Tenant):
    payment = await till.a_payment(10000)
    other = Till(other_tenant, Bank())
    reference = await reference_of(till, payment)
    stranger = Dispute(
        reference="dp-2",
        payment_reference=None,
        state=OPEN,
        amount=euros(1),
        reason="general",
        respond_by=None,
    )
    async with till.tenant.tx() as tx:
        assert not await record_dispute(tx, stranger, provider="bank")
    await news(till, payment, OPEN, 100)
    (dispute,) = await disputes(till)
    async with other_tenant.tx() as tx:
        known_here = Dispute(
            reference="dp-1",
            payment_reference=reference,
            state=LOST,
            amount=euros(100),
            reason="general",
            respond_by=None,
        )
        assert not await record_dispute(tx, known_here, provider="bank")
        with pytest.raises(Refusal) as refused:
            await dispute_by_id(tx, dispute.id)
    assert (refused.value.code, await disputes(other)) == ("dispute_unknown", [])


async def test_no_more_than_was_paid_is_reversed(till: Till):
    payment = await till.a_payment(10000)
    async with till.tenant.tx() as tx:
        with pytest.raises(ValueError, match="does not fit"):
            await reverse_settlement(
                tx, await lock_invoice(tx, payment.invoice_id), amount_minor=11901
            )


@pytest.mark.parametrize(("outcome", "sent"), [(LOST, []), (WON, [euros(11900)])])
async def test_what_a_note_promised_meanwhile_goes_back_in_one_way(till: Till, outcome, sent):
    # The note has credited everything: nothing is due again, and the bank or we return the money.
    payment = await till.a_payment(10000)
    await news(till, payment, OPEN, 11900)
    async with till.tenant.tx() as tx:
        note = CreditInvoice(
            invoice_id=payment.invoice_id,
            reason="returned",
            allocation=Allocation(to_refund_minor=11900),
        )
        await credit_invoice(tx, note)
    assert (await till.refunds(), await till.tasks()) == ([], ["dispute_opened", "refund_failed"])
    await news(till, payment, outcome, 11900)
    assert (await till.invoice(payment)).due_minor == 0
    assert [refund.amount for refund in await till.refunds()] == sent
