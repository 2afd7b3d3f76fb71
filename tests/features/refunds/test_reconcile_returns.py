"""Is money that went back, or that a bank wants back, found although nobody has told of it?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.payment_providers.model import AttemptState, Decline, DisputeState
from billwright.features.payment_providers.port import (
    Dispute,
    ListedRefund,
    OutcomeUnknown,
    PaymentProviders,
    ProviderUnavailable,
)
from billwright.features.payments.model import Payment
from billwright.features.payments.operations.comparison import Reconciled
from billwright.features.payments.rules.reconciliation import Difference, Window
from billwright.features.payments.sql.reads_reconciliation import list_reconciliations
from billwright.features.refunds.jobs import reconcile_providers
from billwright.features.refunds.model import Refund, RefundOrigin, RefundState
from billwright.features.refunds.operations import compare_disputes as comparing
from billwright.features.refunds.operations.execute_refund import execute_refund
from billwright.features.refunds.operations.reconcile_provider import reconcile_provider
from billwright.features.refunds.operations.record_dispute import record_dispute
from billwright.features.refunds.operations.record_external_refund import record_external_refund
from billwright.providers.payment.sandbox.provider import SandboxProvider
from tests.conftest import BOX, NOON, Tenant
from tests.features.payments.paying import collect as collect_attempt
from tests.features.payments.paying import pay, reserve, work_with
from tests.features.refunds.refunding import Bank, Till, an_invoice, euros
from tests.features.refunds.test_disputes import disputes
from tests.features.refunds.test_external_refunds import reference_of

TOTAL = 11900
LAST_WEEK = Window(NOON - timedelta(days=7), NOON + timedelta(hours=1))
OPEN, WON, LOST = DisputeState


@dataclass
class Playing(SandboxProvider):
    """A sandbox that counts what it is asked, and goes away or lets something happen while its lists are
    read.
    """

    clock: Any
    asked: list[str] = field(default_factory=list)
    fails: Exception | None = None
    meanwhile: Callable[[str], Awaitable[object]] | None = None

    def __post_init__(self) -> None:
        super().__init__(self.clock.now)

    async def find_dispute(self, reference: str) -> Dispute | None:
        self.asked.append(reference)
        return await super().find_dispute(reference)

    async def list_refunds(
        self, *, since: datetime, until: datetime
    ) -> AsyncIterator[ListedRefund]:
        async for each in super().list_refunds(since=since, until=until):
            yield each
        # The list is read, and nothing of it is compared yet.
        if self.meanwhile is not None:
            await self.meanwhile("refunds")

    async def list_disputes(self, *, since: datetime, until: datetime) -> AsyncIterator[Dispute]:
        if self.fails is not None:
            raise self.fails
        async for each in super().list_disputes(since=since, until=until):
            yield each
        if self.meanwhile is not None:
            await self.meanwhile("disputes")

    def alter(self, reference: str | None, **changes: Any) -> None:
        with self.ledger.held() as books:
            entry = books.by_reference(reference or "")
            assert entry is not None
            for name, value in changes.items():
                setattr(entry, name, value)


@pytest.fixture
def sandbox(clock) -> Playing:
    return Playing(clock)


@pytest.fixture
def till(tenant: Tenant) -> Till:
    return Till(tenant, Bank())


async def paid_at(tenant: Tenant, sandbox: Playing) -> tuple[Payment, str]:
    """119.00 that came by the sandbox, and what it calls them."""
    providers = PaymentProviders({"sandbox": sandbox})
    async with tenant.tx() as tx:
        invoice = await invoice_by_id(tx, await an_invoice(tx, 10000))
    attempt = await reserve(tenant, pay(invoice, TOTAL, provider="sandbox"), providers)
    payment = await collect_attempt(tenant, attempt, providers)
    return payment, await reference_of(Till(tenant, Bank()), payment)


async def refunded_at(till: Till, sandbox: Playing, payment: Payment, amount_minor: int) -> Refund:
    reserved = await till.reserved(payment, amount=euros(amount_minor))
    providers = PaymentProviders({"sandbox": sandbox})
    return await execute_refund(till.tenant.tx, reserved.id, providers=providers)


async def reconcile(tenant: Tenant, sandbox: Playing) -> Reconciled:
    return await reconcile_provider(tenant.tx, LAST_WEEK, provider=sandbox, box=BOX)


async def by_night(tenant: Tenant, sandbox: Playing) -> int:
    work = work_with(tenant, PaymentProviders({"sandbox": sandbox}))
    return await reconcile_providers(work)


def counts_of(done: Reconciled) -> tuple[int, int, int]:
    return done.run.compared, done.run.mended, done.run.differences


def differences_of(done: Reconciled) -> list[tuple[Difference, str, UUID | None]]:
    return [(each.difference, each.subject_type, each.subject_id) for each in done.findings]


async def test_a_refund_of_which_nobody_told_is_booked_by_night_and_once(till, sandbox, clock):
    payment, reference = await paid_at(till.tenant, sandbox)
    name = sandbox.give_back(reference, euros(2000))
    clock.move_to(NOON + timedelta(hours=2))
    assert await by_night(till.tenant, sandbox) == 2
    [refund] = await till.refunds()
    assert (refund.origin, refund.state, refund.amount) == (
        RefundOrigin.PROVIDER,
        RefundState.SUCCEEDED,
        euros(2000),
    )
    assert (await till.payment(payment)).refunded_minor == 2000
    assert await till.tasks() == ["refund_unexplained"]
    # Its callback comes after all, and the next run finds nothing new.
    async with till.tenant.tx() as tx:
        answer = await sandbox.look_up(name)
        assert await record_external_refund(
            tx, reference=name, payment_reference=reference, answer=answer, provider="sandbox"
        )
    assert counts_of(await reconcile(till.tenant, sandbox)) == (2, 0, 0)
    assert await till.refunds() == [refund]
    assert await till.tasks() == ["refund_unexplained"]


async def test_a_dispute_of_which_nobody_told_is_booked_as_its_callbacks_would(till, sandbox):
    payment, reference = await paid_at(till.tenant, sandbox)
    for state, tasks in ((OPEN, ["dispute_opened"]), (LOST, ["dispute_opened", "dispute_lost"])):
        sandbox.dispute(reference, state=state)
        assert counts_of(await reconcile(till.tenant, sandbox)) == (2, 1, 0)
        [dispute] = await disputes(till)
        assert (dispute.state, await till.tasks()) == (state, tasks)
        assert counts_of(await reconcile(till.tenant, sandbox)) == (2, 0, 0)
    assert (await till.invoice(payment)).due_minor == TOTAL
    # It is listed, and asking for it one by one would tell no more.
    assert sandbox.asked == []


async def test_an_old_dispute_that_is_open_here_is_asked_for_by_its_name(till, sandbox, clock):
    _, reference = await paid_at(till.tenant, sandbox)
    sandbox.dispute(reference)
    clock.move_to(NOON + timedelta(days=20))
    await by_night(till.tenant, sandbox)
    sandbox.dispute(reference, state=WON)
    clock.move_to(NOON + timedelta(days=60))
    assert await by_night(till.tenant, sandbox) == 1
    [dispute] = await disputes(till)
    assert (dispute.state, sandbox.asked) == (WON, [dispute.provider_reference])
    await by_night(till.tenant, sandbox)
    assert len(sandbox.asked) == 1  # what is decided is not asked for again


async def test_of_very_many_open_disputes_the_next_night_asks_for_the_others(
    till, sandbox, clock, monkeypatch
):
    references = [(await paid_at(till.tenant, sandbox))[1] for _ in range(3)]
    for reference in references:
        sandbox.dispute(reference)
    clock.move_to(NOON + timedelta(days=20))
    await by_night(till.tenant, sandbox)
    monkeypatch.setattr(comparing, "_MOST_ASKED", 2)
    monkeypatch.setattr(comparing, "BATCH_SIZE", 1)
    for nights in (60, 61):
        clock.move_to(NOON + timedelta(days=nights))
        await by_night(till.tenant, sandbox)
    assert len(sandbox.asked) == 4
    assert set(sandbox.asked) == {f"{reference}_dispute" for reference in references}


async def test_what_we_have_given_back_and_nobody_there_knows_is_a_task(till, sandbox, clock):
    payment, _ = await paid_at(till.tenant, sandbox)
    refund = await refunded_at(till, sandbox, payment, 1000)
    assert counts_of(await reconcile(till.tenant, sandbox)) == (2, 0, 0)
    with sandbox.ledger.held() as books:
        books._connection.execute("delete from entry where kind = 'refund'")
    for _ in range(2):
        done = await reconcile(till.tenant, sandbox)
        assert differences_of(done) == [(Difference.MISSING_THERE, "refund", refund.id)]
    assert await till.tasks() == ["reconciliation_difference"]
    assert await till.refunds() == [refund]  # nothing is unbooked


async def test_a_refund_that_its_bank_sent_back_weeks_later_is_a_failure(till, sandbox, clock):
    payment, _ = await paid_at(till.tenant, sandbox)
    refund = await refunded_at(till, sandbox, payment, 1000)
    returned = {"state": AttemptState.DECLINED, "failure_code": "account_closed"}
    sandbox.alter(refund.provider_reference, **returned, decline=Decline.HARD)
    clock.move_to(NOON + timedelta(days=20))
    lately = Window(NOON + timedelta(days=16), NOON + timedelta(days=20))
    await reconcile_provider(till.tenant.tx, lately, provider=sandbox, box=BOX)
    [failed] = await till.refunds()
    assert (failed.state, failed.failure_code) == (RefundState.FAILED, "account_closed")
    assert (await till.payment(payment)).refunded_minor == 0
    assert await till.tasks() == ["refund_failed"]


async def test_a_refund_of_another_amount_and_a_second_one_are_told(till, sandbox):
    payment, _ = await paid_at(till.tenant, sandbox)
    refund = await refunded_at(till, sandbox, payment, 1000)
    sandbox.alter(refund.provider_reference, amount=euros(999))
    assert differences_of(await reconcile(till.tenant, sandbox)) == [
        (Difference.AMOUNT, "refund", refund.id)
    ]
    sandbox.alter(refund.provider_reference, amount=euros(1000))
    async with till.tenant.tx() as tx:
        await tx.execute("update refund set provider_reference = 'the first one'")
    assert differences_of(await reconcile(till.tenant, sandbox)) == [
        (Difference.PAID_TWICE, "refund", refund.id),
    ]


async def test_a_claim_that_a_bank_has_opened_again_is_told(till, sandbox):
    _, reference = await paid_at(till.tenant, sandbox)
    sandbox.dispute(reference, state=WON)
    await reconcile(till.tenant, sandbox)
    sandbox.dispute(reference, state=OPEN)
    [dispute] = await disputes(till)
    done = await reconcile(till.tenant, sandbox)
    assert differences_of(done) == [(Difference.STATE, "dispute", dispute.id)]
    assert (await disputes(till))[0].state is WON


async def test_a_callback_that_comes_while_the_lists_are_read_changes_nothing_twice(till, sandbox):
    payment, reference = await paid_at(till.tenant, sandbox)
    name = sandbox.give_back(reference, euros(2000))
    sandbox.dispute(reference)

    async def told(what: str) -> None:
        async with till.tenant.tx() as tx:
            if what == "refunds":
                answer = await sandbox.look_up(name)
                await record_external_refund(
                    tx,
                    reference=name,
                    payment_reference=reference,
                    answer=answer,
                    provider="sandbox",
                )
            else:  # more than the list has said
                sandbox.dispute(reference, state=WON)
                won = await SandboxProvider.find_dispute(sandbox, f"{reference}_dispute")
                await record_dispute(tx, won, provider="sandbox")

    sandbox.meanwhile = told
    assert (await reconcile(till.tenant, sandbox)).run.differences == 0
    [refund] = await till.refunds()
    [dispute] = await disputes(till)
    assert (refund.amount, dispute.state) == (euros(2000), WON)
    assert (await till.payment(payment)).refunded_minor == 2000
    assert await till.events("refund.%") == ["refund.succeeded"]


async def test_tenants_that_share_an_account_get_their_own_alone(till, other_tenant, sandbox):
    other = Till(other_tenant, Bank())
    _, reference = await paid_at(till.tenant, sandbox)
    theirs, _ = await paid_at(other_tenant, sandbox)
    await refunded_at(other, sandbox, theirs, 300)
    sandbox.give_back(reference, euros(2000))
    sandbox.dispute(reference)
    for _ in range(2):
        assert counts_of(await reconcile(other_tenant, sandbox))[1:] == (0, 0)
        await reconcile(till.tenant, sandbox)
    assert [each.amount for each in await till.refunds()] == [euros(2000)]
    assert [each.amount for each in await other.refunds()] == [euros(300)]
    assert (len(await disputes(till)), await disputes(other), await other.tasks()) == (1, [], [])


async def test_a_refund_in_our_name_that_we_do_not_know_is_told(till, sandbox):
    payment, _ = await paid_at(till.tenant, sandbox)
    refund = await refunded_at(till, sandbox, payment, 1000)
    async with till.tenant.tx() as tx:
        await tx.execute("update refund set provider_key = 'lost', provider_reference = 'lost'")
    done = await reconcile(till.tenant, sandbox)
    assert (Difference.UNKNOWN_HERE, "refund", None) in differences_of(done)
    assert (Difference.MISSING_THERE, "refund", refund.id) in differences_of(done)


@pytest.mark.parametrize("failure", [OutcomeUnknown("no answer"), ProviderUnavailable("away")])
async def test_what_a_provider_has_not_said_halfway_is_asked_the_next_night(
    till, sandbox, clock, failure
):
    _, reference = await paid_at(till.tenant, sandbox)
    sandbox.give_back(reference, euros(2000))
    sandbox.dispute(reference)
    sandbox.fails = failure
    clock.move_to(NOON + timedelta(hours=2))
    assert await by_night(till.tenant, sandbox) == 0
    async with till.tenant.tx() as tx:
        assert await list_reconciliations(tx, before=None, limit=9) == []
    # What was found until then is booked, and whole.
    assert [each.amount for each in await till.refunds()] == [euros(2000)]
    assert await till.tasks() == ["refund_unexplained"]
    sandbox.fails = None
    clock.move_to(NOON + timedelta(days=1, hours=2))
    assert await by_night(till.tenant, sandbox) == 3
    assert (len(await till.refunds()), len(await disputes(till))) == (1, 1)
    assert await till.tasks() == ["refund_unexplained", "dispute_opened"]


async def test_one_that_cannot_be_recorded_keeps_no_other_from_it(till, sandbox, monkeypatch):
    for _ in range(2):
        _, reference = await paid_at(till.tenant, sandbox)
        sandbox.dispute(reference)
    record, failures = comparing.record_dispute, [ZeroDivisionError()]

    async def record_or_fail(tx: Any, *values: Any, **named: Any) -> bool:
        if failures:
            raise failures.pop()
        return await record(tx, *values, **named)

    monkeypatch.setattr(comparing, "record_dispute", record_or_fail)
    assert counts_of(await reconcile(till.tenant, sandbox))[1:] == (1, 1)
    assert counts_of(await reconcile(till.tenant, sandbox))[1:] == (1, 0)
