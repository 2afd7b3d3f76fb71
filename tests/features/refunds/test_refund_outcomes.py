"""Is it found out what became of a refund, and is no money sent twice meanwhile?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import (
    OutcomeUnknown,
    PaymentProviders,
    ProviderAnswer,
    ProviderUnavailable,
)
from billwright.features.refunds.jobs import resolve_open_refunds
from billwright.features.refunds.model import Refund, RefundState
from billwright.features.refunds.operations.confirm_refund import ConfirmRefund, confirm_refund
from billwright.features.refunds.operations.record_refund import record_refund
from billwright.features.refunds.operations.refund_payment import RefundSource
from billwright.features.refunds.operations.retry_refund import RetryRefund, retry_refund
from billwright.kernel.refusal import Refusal
from billwright.runtime.clock import FixedClock
from tests.conftest import NOON, Tenant
from tests.features.refunds.refunding import GIVEN_BACK, REFUSED, Bank, Till, euros

LOST = OutcomeUnknown("no answer")


@pytest.fixture
def till(tenant: Tenant) -> Till:
    return Till(tenant, Bank())


async def sweep(till: Till, clock: FixedClock, after: timedelta) -> int:
    clock.move_to(NOON + after)
    work = replace(till.tenant.work(), providers={PaymentProviders: till.bank.providers})
    return await resolve_open_refunds(work)


async def only_refund(till: Till) -> Refund:
    (refund,) = await till.refunds()
    return refund


async def test_a_lost_answer_is_asked_for_and_not_sent_again_when_it_is_known(till, clock):
    till.bank.script = [LOST]
    refund = await till.refunded(await till.a_payment(10000))
    assert (refund.state, refund.next_check_at) == (
        RefundState.UNKNOWN,
        NOON + timedelta(minutes=1),
    )
    till.bank.known[refund.provider_key] = GIVEN_BACK
    assert await sweep(till, clock, timedelta(seconds=59)) == 0
    assert await sweep(till, clock, timedelta(minutes=1)) == 1
    assert ((await only_refund(till)).state, len(till.bank.asked)) == (RefundState.SUCCEEDED, 1)
    assert await sweep(till, clock, timedelta(days=8)) == 0


@pytest.mark.parametrize("lost", [LOST, ProviderUnavailable("down")])
async def test_what_the_provider_does_not_know_is_sent_again_under_the_same_key(till, clock, lost):
    till.bank.script = [lost]
    await till.refunded(await till.a_payment(10000))
    await sweep(till, clock, timedelta(minutes=1))
    first, second = till.bank.asked
    assert first == second
    assert (await only_refund(till)).state is RefundState.SUCCEEDED


async def test_after_the_key_is_forgotten_nothing_is_sent_again(till, clock):
    till.bank.script = [LOST] * 5
    payment = await till.a_payment(10000)
    await till.refunded(payment)
    for minutes in (1, 5, 30, 120):
        await sweep(till, clock, timedelta(minutes=minutes))
    assert (len(till.bank.asked), (await only_refund(till)).state) == (5, RefundState.UNKNOWN)
    await sweep(till, clock, timedelta(days=1))
    refund = await only_refund(till)
    assert (len(till.bank.asked), refund.state) == (5, RefundState.FAILED)
    assert (refund.failure_code, await till.tasks()) == ("not_attempted", ["refund_failed"])
    assert (await till.payment(payment)).refunded_minor == 0
    # It had been, after all.
    async with till.tenant.tx() as tx:
        await record_refund(tx, refund_id=refund.id, answer=GIVEN_BACK)
    assert (await till.payment(payment)).refunded_minor == 11900


async def test_after_a_week_a_person_says_how_it_ended(till, clock):
    till.bank.script = [ProviderAnswer(AttemptState.PROCESSING, "re-1")]
    refund = await till.refunded(await till.a_payment(10000))
    assert refund.state is RefundState.PROCESSING
    confirmation = ConfirmRefund(refund_id=refund.id, was_sent=True, reference="seen")
    async with till.tenant.tx() as tx:
        with pytest.raises(Refusal) as refused:
            await confirm_refund(tx, confirmation)
    assert refused.value.code == "refund_not_confirmable"
    for days in range(1, 8):
        assert await till.tasks() == []
        await sweep(till, clock, timedelta(days=days))
    assert await till.tasks() == ["outcome_unknown"]
    async with till.tenant.tx() as tx:
        ended = await confirm_refund(tx, confirmation)
    assert (ended.state, ended.provider_reference) == (RefundState.SUCCEEDED, "seen")


async def test_what_a_worker_never_came_to_is_sent_by_the_next_one(till, clock):
    await till.reserved(await till.a_payment(10000))
    await sweep(till, clock, timedelta(minutes=1))
    assert (len(till.bank.asked), (await only_refund(till)).state) == (1, RefundState.SUCCEEDED)


async def test_a_provider_that_is_gone_or_breaks_leaves_the_outcome_open(till, clock):
    till.bank.script = [RuntimeError("a bug")]
    refund = await till.refunded(await till.a_payment(10000))
    assert refund.state is RefundState.UNKNOWN
    clock.move_to(NOON + timedelta(minutes=1))
    nobody = replace(till.tenant.work(), providers={PaymentProviders: PaymentProviders()})
    assert await resolve_open_refunds(nobody) == 1
    assert (await only_refund(till)).state is RefundState.UNKNOWN


async def test_money_that_came_by_hand_goes_back_by_hand(till, clock):
    payment = await till.a_payment(10000, paid_minor=11900)
    refund = await till.refunded(payment, amount=euros(1190))
    assert (refund.state, refund.provider, refund.next_check_at) == ("created", "manual", None)
    assert await sweep(till, clock, timedelta(days=8)) == 0
    assert (await till.payment(payment)).refunded_minor == 1190
    async with till.tenant.tx() as tx:
        confirmation = ConfirmRefund(refund_id=refund.id, was_sent=True, reference="Transfer 31")
        sent = await confirm_refund(tx, confirmation)
        assert await confirm_refund(tx, confirmation) == sent
    assert (sent.state, sent.provider_reference) == (RefundState.SUCCEEDED, "Transfer 31")
    assert await till.events("refund.%") == ["refund.succeeded"]


async def test_what_is_not_sent_by_hand_is_there_again(till):
    payment = await till.a_payment(10000, paid_minor=15000)
    refund = await till.refunded(payment, source=RefundSource.CREDIT)
    async with till.tenant.tx() as tx:
        await confirm_refund(tx, ConfirmRefund(refund_id=refund.id, was_sent=False))
    assert (await till.credit(payment), (await till.payment(payment)).refunded_minor) == (3100, 0)


async def test_a_provider_without_refunds_leaves_them_to_a_person(till):
    payment = await till.a_payment(10000)
    till.bank.capabilities = frozenset()
    refund = await till.refunded(payment)
    assert (refund.state, refund.provider, till.bank.asked) == (RefundState.CREATED, "manual", [])


async def retried(till: Till, refund: Refund, **command: Any) -> Refund:
    async with till.tenant.tx() as tx:
        return await retry_refund(tx, RetryRefund(refund_id=refund.id, **command))


async def test_what_a_note_still_owes_is_tried_again_once(till):
    till.bank.script = [REFUSED]
    payment = await till.a_payment(10000)
    failed = await till.refunded(payment, amount=euros(1190))
    again = await retried(till, failed, by_hand=True)
    assert (again.provider, again.credit_note_id) == ("manual", failed.credit_note_id)
    assert (again.amount, (await till.payment(payment)).refunded_minor) == (euros(1190), 1190)
    with pytest.raises(Refusal) as refused:
        await retried(till, failed)
    assert refused.value.facts["reason"] == "its payer has the money"
    # A later note promises its own amount, and not again what failed.
    assert (await till.refunded(payment)).amount == euros(10710)
    assert len(await till.refunds()) == 3


async def test_what_was_taken_from_credit_or_has_not_failed_is_not_retried(till):
    payment = await till.a_payment(10000, paid_minor=15000)
    refund = await till.refunded(payment, source=RefundSource.CREDIT)
    with pytest.raises(Refusal) as refused:
        await retried(till, refund)
    assert refused.value.facts["reason"] == "it has not failed"
    async with till.tenant.tx() as tx:
        await record_refund(tx, refund_id=refund.id, answer=REFUSED)
    with pytest.raises(Refusal) as refused:
        await retried(till, refund)
    assert refused.value.facts["reason"] == "no credit note has promised it"


async def test_an_amount_that_differs_is_shown(till):
    till.bank.script = [replace(GIVEN_BACK, amount=euros(11800))]
    await till.refunded(await till.a_payment(10000))
    assert await till.tasks() == ["amount_differs"]
