"""What becomes of a case when something else happens to its debt, its payer or its subscriptions?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from billwright.features.dunning.errors import payment_failure_ended, payment_failure_unknown
from billwright.features.dunning.operations.pause_dunning import (
    PauseDunning,
    pause_dunning,
    resume_dunning,
)
from billwright.features.dunning.operations.retry_payment_failure import retry_payment_failure
from billwright.features.dunning.operations.write_off import WriteOff, write_off
from billwright.features.dunning.rules.policy import policy_of
from billwright.features.invoicing.operations.credit_invoice import CreditInvoice, credit_invoice
from billwright.features.invoicing.operations.void_invoice import VoidInvoice, void_invoice
from billwright.features.payment_providers.port import OutcomeUnknown, ProviderUnavailable
from billwright.features.payments.operations.open_page import OpenPage, open_page
from billwright.kernel.refusal import Refusal
from tests.conftest import BOX
from tests.features.dunning.pursuing import DUE, Pursuit, a_pursuit
from tests.features.payments.paying import (
    DECLINED,
    LOST_CARD,
    PROCESSING,
    SUCCEEDED,
    TO_CONFIRM,
    TOTAL,
    collect,
    euros,
    leave_card,
    pay,
    reserve,
)

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
FIRST_STEP = datetime(2026, 1, 31, 8, tzinfo=UTC)
SECOND_STEP = datetime(2026, 2, 5, 8, tzinfo=UTC)


async def a_page(pursuit: Pursuit) -> str:
    """The payer opens a page to pay on, and goes away."""
    command = OpenPage(
        invoice_id=pursuit.invoice.id,
        success_url="https://shop.example/thanks",
        cancel_url="https://shop.example/back",
        saves_method=True,
    )
    providers = pursuit.bank.providers
    await open_page(pursuit.tenant.tx, command, providers=providers, box=BOX)
    return f"page-{len(pursuit.bank.pages)}"


async def test_a_new_card_is_tried_at_once_and_once(tenant, clock):
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(DUE + HOUR)
    pursuit.bank.script = [SUCCEEDED]
    await pursuit.remove_card()
    await leave_card(tenant, pursuit.invoice, reference="card-2")
    await pursuit.collect_reserved()
    assert len(pursuit.bank.collected) == 2
    assert (await pursuit.case()).standing.state == "recovered"


async def test_a_new_card_that_is_declined_moves_nothing(tenant, clock):
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(DUE + HOUR)
    await pursuit.remove_card()
    await leave_card(tenant, pursuit.invoice, reference="card-2")
    await pursuit.collect_reserved()
    case = (await pursuit.case()).standing
    assert (case.step, case.next_step_at, case.under_way) == (0, FIRST_STEP, None)
    assert len(pursuit.bank.collected) == 2


async def test_a_lost_card_is_not_tried_again_and_the_next_one_is(tenant, clock):
    pursuit = await a_pursuit(tenant, clock)
    pursuit.bank.script = [LOST_CARD]
    await pursuit.live_until(SECOND_STEP)
    assert len(pursuit.bank.collected) == 1
    case = (await pursuit.case()).standing
    assert (case.step, case.chargeable) == (2, False)
    await leave_card(tenant, pursuit.invoice, reference="card-2")
    await pursuit.collect_reserved()
    assert len(pursuit.bank.collected) == 2


async def test_a_policy_may_go_on_after_a_no_for_good(tenant, clock):
    policy = policy_of({"schedule": ["P2D", "P5D"], "hard_decline": "continue"})
    pursuit = await a_pursuit(tenant, clock, policy=policy)
    pursuit.bank.script = [LOST_CARD, LOST_CARD, SUCCEEDED]
    await pursuit.live_until(SECOND_STEP)
    assert len(pursuit.bank.collected) == 3
    assert (await pursuit.case()).standing.state == "recovered"


async def test_an_open_page_is_closed_before_the_next_attempt(tenant, clock):
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(FIRST_STEP - HOUR)
    page = await a_page(pursuit)
    await pursuit.live_until(FIRST_STEP)
    assert pursuit.bank.withdrawn == [page]
    assert len(pursuit.bank.collected) == 2
    assert (await pursuit.case()).standing.step == 1


async def test_a_page_whose_money_is_on_its_way_holds_the_schedule(tenant, clock):
    """It is the one attempt there may be; when it fails, the wait that was missed begins anew."""
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(FIRST_STEP - HOUR)
    pursuit.bank.paid_pages.add(await a_page(pursuit))
    await pursuit.live_until(FIRST_STEP + DAY)
    case = (await pursuit.case()).standing
    assert (len(pursuit.bank.collected), case.step, case.under_way) == (1, 0, "checkout")


async def test_a_new_card_waits_for_an_open_page_to_be_closed(tenant, clock):
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(DUE + HOUR)
    page = await a_page(pursuit)
    await pursuit.remove_card()
    await leave_card(tenant, pursuit.invoice, reference="card-2")
    await pursuit.collect_reserved()
    assert len(pursuit.bank.collected) == 1
    await pursuit.live_until(DUE + HOUR)
    assert (pursuit.bank.withdrawn, len(pursuit.bank.collected)) == ([page], 2)
    assert (await pursuit.case()).standing.step == 0


@pytest.mark.parametrize("answer", [PROCESSING, TO_CONFIRM, OutcomeUnknown()])
async def test_nothing_follows_while_the_outcome_is_not_known(tenant, clock, answer):
    pursuit = await a_pursuit(tenant, clock)
    pursuit.bank.script = [DECLINED, answer]
    await pursuit.live_until(FIRST_STEP + 20 * HOUR)
    case = (await pursuit.case()).standing
    assert (case.step, case.under_way, len(pursuit.bank.collected)) == (0, "scheduled", 2)
    with pytest.raises(Refusal, match="on its way"):
        await pursuit.retry()


async def test_a_debit_that_fails_days_later_takes_its_step_then(tenant, clock):
    pursuit = await a_pursuit(tenant, clock)
    pursuit.bank.script = [DECLINED, PROCESSING]
    await pursuit.live_until(FIRST_STEP + 4 * DAY)
    await pursuit.answer(DECLINED)
    case = (await pursuit.case()).standing
    # 4 February, 8 o'clock UTC, and five days.
    assert (case.step, case.next_step_at) == (1, FIRST_STEP + 9 * DAY)


async def test_what_was_never_sent_is_sent_again_after_an_hour(tenant, clock):
    pursuit = await a_pursuit(tenant, clock)
    pursuit.bank.script = [DECLINED, ProviderUnavailable()]
    await pursuit.live_until(FIRST_STEP)
    case = (await pursuit.case()).standing
    assert (case.step, case.attempts, case.next_step_at) == (0, 1, FIRST_STEP + HOUR)
    await pursuit.live_until(FIRST_STEP + HOUR)
    case = (await pursuit.case()).standing
    assert (case.step, case.attempts) == (1, 2)


async def test_a_due_date_on_which_nobody_could_be_asked_comes_again(tenant, clock):
    """A provider's bad hour makes nobody past due, and two bad days do."""
    pursuit = await a_pursuit(tenant, clock)
    pursuit.bank.script = [ProviderUnavailable(), ProviderUnavailable(), DECLINED]
    await pursuit.live_until(DUE + HOUR)
    assert await pursuit.cases() == []
    await pursuit.live_until(DUE + 2 * HOUR)
    assert (await pursuit.case()).standing.opened_at == DUE + 2 * HOUR


async def test_two_days_without_a_provider_are_pursued(tenant, clock):
    pursuit = await a_pursuit(tenant, clock)
    pursuit.bank.script = [ProviderUnavailable() for _ in range(60)]
    await pursuit.live_until(DUE + 2 * DAY + HOUR)
    case = (await pursuit.case()).standing
    assert (case.opened_at, case.attempts) == (DUE + 2 * DAY, 0)


async def test_a_part_that_leaves_too_little_ends_it(tenant, clock):
    pursuit = await a_pursuit(tenant, clock, policy=policy_of({"minimums": {"EUR": "5.00"}}))
    await pursuit.live_until(DUE + HOUR)
    await collect(tenant, await reserve(tenant, pay(pursuit.invoice, TOTAL - 500)))
    assert (await pursuit.case()).standing.state == "open"
    await collect(tenant, await reserve(tenant, pay(pursuit.invoice, 1)))
    assert (await pursuit.case()).standing.state == "recovered"
    assert (await pursuit.invoice_now()).due_minor == 499
    assert (await pursuit.subscription()).state == "active"


async def test_less_than_was_asked_for_leaves_the_rest_to_be_tried(tenant, clock):
    pursuit = await a_pursuit(tenant, clock)
    pursuit.bank.script = [DECLINED, replace(SUCCEEDED, amount=euros(4000))]
    await pursuit.live_until(FIRST_STEP)
    case = (await pursuit.case()).standing
    assert (case.under_way, case.next_step_at) == (None, FIRST_STEP + HOUR)
    await pursuit.live_until(FIRST_STEP + HOUR)
    assert [one.amount.amount_minor for one in pursuit.bank.requests] == [
        TOTAL,
        TOTAL,
        TOTAL - 4000,
    ]


async def test_less_than_the_minimum_is_not_pursued(tenant, clock):
    pursuit = await a_pursuit(tenant, clock, policy=policy_of({"minimums": {"EUR": "50"}}))
    await pursuit.live_until(DUE + DAY)
    assert (len(pursuit.bank.collected), await pursuit.cases()) == (1, [])
    assert (await pursuit.subscription()).state == "active"


ENDS = {
    "credited": lambda tx, pursuit: credit_invoice(
        tx, CreditInvoice(invoice_id=pursuit.invoice.id, reason="sorry")
    ),
    "voided": lambda tx, pursuit: void_invoice(
        tx, VoidInvoice(invoice_id=pursuit.invoice.id, reason="sorry")
    ),
}


@pytest.mark.parametrize("end", ENDS)
async def test_what_is_not_owed_any_more_is_not_pursued(tenant, clock, end):
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(DUE + 15 * DAY)
    tried = len(pursuit.bank.collected)
    async with tenant.tx() as tx:
        await ENDS[end](tx, pursuit)
    assert (await pursuit.case()).standing.state == "canceled"
    assert ((await pursuit.subscription()).state, await pursuit.access()) == ("active", "full")
    await pursuit.live_until(DUE + 25 * DAY)
    assert len(pursuit.bank.collected) == tried


async def test_a_write_off_ends_it_and_answers_so(tenant, clock):
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(DUE + 15 * DAY)
    async with tenant.tx() as tx:
        command = WriteOff(case_id=(await pursuit.case()).id, reason="insolvent")
        assert (await write_off(tx, command)).standing.state == "written_off"
    assert (await pursuit.invoice_now()).state == "uncollectible"
    assert await pursuit.access() == "full"
    assert [one["state"] for _, one in await pursuit.told_of("dunning.ended")] == ["written_off"]


async def test_a_pause_holds_everything_back(tenant, clock):
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(FIRST_STEP - HOUR)
    case_id = (await pursuit.case()).id
    async with tenant.tx() as tx:
        await pause_dunning(tx, PauseDunning(case_id=case_id, until=DUE + 20 * DAY))
    await pursuit.live_until(DUE + 19 * DAY)
    assert (len(pursuit.bank.collected), await pursuit.access()) == (1, "full")
    clock.move_to(datetime(2026, 2, 17, 10, tzinfo=UTC))
    async with tenant.tx() as tx:
        resumed = await resume_dunning(tx, case_id)
    assert resumed.attempt_id is not None
    assert await pursuit.access() == "read_only"
    await pursuit.collect(resumed.attempt_id)
    assert (await pursuit.case()).standing.step == 1
    assert len(await pursuit.told_of("dunning.resumed")) == 1


async def test_who_misses_two_payments_stays_past_due_until_both_have_come(tenant, clock):
    """Grace counts from the first: the second invoice has none left."""
    pursuit = await a_pursuit(tenant, clock, policy=policy_of({"schedule": ["P30D", "P20D"]}))
    march = datetime(2026, 3, 1, 12, tzinfo=UTC)
    await pursuit.live_until(march)
    second, first = await pursuit.cases()
    assert (first.standing.past_due_at, second.standing.past_due_at) == (DUE, DUE)
    assert await pursuit.access() == "revoked"

    await collect(tenant, await reserve(tenant, pay(pursuit.invoice)))
    assert [case.standing.state for case in await pursuit.cases()] == ["open", "recovered"]
    assert ((await pursuit.subscription()).state, await pursuit.access()) == ("past_due", "revoked")
    pursuit.bank.script = [SUCCEEDED]
    async with tenant.tx() as tx:
        retried = await retry_payment_failure(tx, second.id)
    await pursuit.collect(retried.attempt_id)
    assert ((await pursuit.subscription()).state, await pursuit.access()) == ("active", "full")


async def test_a_lost_reservation_is_found_within_a_day(tenant, clock):
    """Nothing can lose one but a bug; the case must end all the same."""
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(DUE + HOUR)
    async with tenant.tx() as tx:
        await tx.execute(
            "update dunning_case set under_way = 'scheduled', due_at = $1", clock.now() + DAY
        )
    await pursuit.live_until(DUE + 27 * HOUR)
    case = (await pursuit.case()).standing
    assert (case.under_way, case.next_step_at) == (None, FIRST_STEP)


async def test_what_has_ended_cannot_be_steered(tenant, clock):
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(DUE + HOUR)
    await pursuit.cancel()
    case = await pursuit.case()
    for command in (
        lambda tx: retry_payment_failure(tx, case.id),
        lambda tx: resume_dunning(tx, case.id),
        lambda tx: pause_dunning(tx, PauseDunning(case_id=case.id, until=DUE + DAY)),
    ):
        with pytest.raises(Refusal) as refused:
            async with tenant.tx() as tx:
                await command(tx)
        assert refused.value.code == payment_failure_ended.code


async def test_another_tenant_s_case_does_not_exist(tenant, other_tenant, clock):
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(DUE + HOUR)
    case = await pursuit.case()
    for command in (
        lambda tx: retry_payment_failure(tx, case.id),
        lambda tx: resume_dunning(tx, case.id),
        lambda tx: pause_dunning(tx, PauseDunning(case_id=case.id, until=DUE + 9 * DAY)),
        lambda tx: write_off(tx, WriteOff(case_id=case.id, reason="not theirs")),
    ):
        with pytest.raises(Refusal) as refused:
            async with other_tenant.tx() as tx:
                await command(tx)
        assert refused.value.code == payment_failure_unknown.code
    assert await pursuit.case() == case
