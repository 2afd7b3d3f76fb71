"""Is money booked that somebody gave back at the provider itself, and is it given back once?"""

from __future__ import annotations

from typing import Any

import pytest

from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import ProviderAnswer
from billwright.features.payments.model import Payment
from billwright.features.payments.sql.reads import attempts_of
from billwright.features.refunds.model import RefundOrigin, RefundState
from billwright.features.refunds.operations.record_external_refund import record_external_refund
from billwright.features.refunds.operations.record_refund import record_refund
from billwright.features.refunds.operations.retry_refund import RetryRefund, retry_refund
from billwright.kernel.refusal import Refusal
from tests.conftest import Tenant
from tests.features.refunds.refunding import REFUSED, Bank, Till, an_invoice, euros
from tests.features.refunds.test_refunds import a_note


@pytest.fixture
def till(tenant: Tenant) -> Till:
    return Till(tenant, Bank())


async def reference_of(till: Till, payment: Payment) -> str:
    async with till.tenant.tx() as tx:
        (attempt,) = await attempts_of(tx, payment.id)
        assert attempt.provider_reference
        return attempt.provider_reference


async def told(
    till: Till,
    payment_reference: str,
    amount_minor: int,
    *,
    state: AttemptState = AttemptState.SUCCEEDED,
    reference: str = "re-77",
) -> bool:
    async with till.tenant.tx() as tx:
        return await record_external_refund(
            tx,
            reference=reference,
            payment_reference=payment_reference,
            answer=ProviderAnswer(state, reference, amount=euros(amount_minor)),
            provider="bank",
        )


async def test_it_is_booked_once_and_a_person_is_asked_what_for(till: Till):
    payment = await till.a_payment(10000)
    reference = await reference_of(till, payment)
    for _ in range(2):
        assert await told(till, reference, 2380)
    (refund,) = await till.refunds()
    assert (refund.origin, refund.state) == (RefundOrigin.PROVIDER, RefundState.SUCCEEDED)
    assert (refund.amount, refund.credit_note_id) == (euros(2380), None)
    assert (await till.payment(payment)).refunded_minor == 2380
    # It is not owed again.
    assert (await till.invoice(payment)).due_minor == 0
    assert (await till.tasks(), await till.events("refund.%")) == (
        ["refund_unexplained"],
        ["refund.succeeded"],
    )


async def test_the_note_that_explains_it_sends_no_second_money(till: Till):
    payment = await till.a_payment(10000)
    await told(till, await reference_of(till, payment), 2380)
    await a_note(till, payment.invoice_id, 2380)
    assert len(await till.refunds()) == 1
    # The next one does: of 119.00, 95.20 are left.
    await a_note(till, payment.invoice_id, 1000)
    assert [one.amount for one in await till.refunds()] == [euros(2380), euros(1000)]
    assert (await till.refunded(payment)).amount == euros(8520)
    assert (await till.payment(payment)).refunded_minor == 11900


async def test_what_was_promised_and_failed_is_explained(till: Till):
    till.bank.script = [REFUSED]
    payment = await till.a_payment(10000)
    failed = await till.refunded(payment, amount=euros(2380))
    await told(till, await reference_of(till, payment), 2380)
    assert await till.tasks() == ["refund_failed"]
    async with till.tenant.tx() as tx:
        with pytest.raises(Refusal) as refused:
            await retry_refund(tx, RetryRefund(refund_id=failed.id))
    assert refused.value.facts["reason"] == "its payer has the money"


async def test_more_than_has_come_is_booked_and_shown(till: Till):
    payment = await till.a_payment(10000)
    await till.refunded(payment, amount=euros(10000))
    assert await told(till, await reference_of(till, payment), 5000)
    assert (await till.payment(payment)).refunded_minor == 11900
    async with till.tenant.tx() as tx:
        details: Any = await tx.fetch_value("select details from review_task")
    assert '"beyond_the_payment_minor": 3100' in details
    with pytest.raises(Refusal) as refused:
        await till.refunded(payment)
    assert refused.value.code == "nothing_to_refund"


async def test_one_that_ends_otherwise_gives_the_payment_its_part_back(till: Till):
    payment = await till.a_payment(10000)
    reference = await reference_of(till, payment)
    await told(till, reference, 2380, state=AttemptState.PROCESSING)
    assert (await till.payment(payment)).refunded_minor == 2380
    await told(till, reference, 2380, state=AttemptState.DECLINED)
    (refund,) = await till.refunds()
    assert refund.state is RefundState.FAILED
    assert (await till.payment(payment)).refunded_minor == 0
    # One that never moved anything is no refund at all.
    assert await told(till, reference, 1, state=AttemptState.DECLINED, reference="re-78")
    assert len(await till.refunds()) == 1


async def test_news_of_our_own_refund_finds_it_by_its_reference(till: Till):
    till.bank.script = [ProviderAnswer(AttemptState.PROCESSING, "re-77")]
    payment = await till.a_payment(10000)
    await till.refunded(payment, amount=euros(2380))
    assert await told(till, await reference_of(till, payment), 2380)
    (refund,) = await till.refunds()
    assert (refund.state, refund.origin) == (RefundState.SUCCEEDED, RefundOrigin.REQUESTED)


async def test_what_is_not_known_yet_may_come_again(till: Till, other_tenant: Tenant):
    payment = await till.a_payment(10000)
    assert not await told(till, "pay-elsewhere", 100)
    assert not await told(Till(other_tenant, Bank()), await reference_of(till, payment), 100)
    async with till.tenant.tx() as tx:
        invoice_id = await an_invoice(tx, 10000)
    declined = await till.paid(invoice_id)
    async with till.tenant.tx() as tx:
        # The refund is told before the payment is.
        await tx.execute(
            """update payment set state = 'pending', captured_minor = 0 where tenant_id = $1
               and id = $2""",
            tx.tenant_id,
            declined.id,
        )
    assert not await told(till, await reference_of(till, declined), 100)
    assert await till.refunds() == []
    with pytest.raises(Refusal) as refused:
        async with till.tenant.tx() as tx:
            await record_refund(tx, refund_id=payment.id, answer=REFUSED)
    assert refused.value.code == "refund_unknown"
