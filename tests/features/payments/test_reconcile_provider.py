"""Are a provider's books and ours brought together, and is a person told where they cannot be?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from billwright.features.invoicing.model import Invoice
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import (
    ListedPayment,
    OutcomeUnknown,
    PaymentProviders,
    ProviderAnswer,
    ProviderUnavailable,
)
from billwright.features.payments.model import Payment, PaymentState
from billwright.features.payments.operations import compare_payments as comparing
from billwright.features.payments.operations.collect_attempt import collect_attempt
from billwright.features.payments.operations.comparison import Reconciled
from billwright.features.payments.operations.resolve_review_task import (
    ResolveReviewTask,
    resolve_review_task,
)
from billwright.features.payments.rules.reconciliation import Difference, Window
from billwright.features.payments.sql.reads import payment_by_id
from billwright.features.payments.sql.reads_reconciliation import list_reconciliations
from billwright.features.payments.sql.reads_reviews import list_review_tasks
from billwright.features.refunds.jobs import reconcile_providers
from billwright.features.refunds.operations.reconcile_provider import reconcile_provider
from billwright.providers.payment.sandbox.provider import SandboxProvider
from tests.conftest import BOX, NOON
from tests.features.billing import a_plan, a_subscription, an_account
from tests.features.payments.paying import TOTAL, euros, invoice_now, pay, reserve, work_with
from tests.providers.conformance.rigs import ManualRig, to_collect

_NO_RIG = ManualRig()
LAST_WEEK = Window(NOON - timedelta(days=7), NOON + timedelta(hours=1))


@dataclass
class Playing(SandboxProvider):
    """A sandbox whose books can be read wrongly, and which counts what it is asked."""

    clock: Any
    asked: list[str] = field(default_factory=list)
    also_lists: list[ListedPayment] = field(default_factory=list)
    fails: Exception | None = None

    def __post_init__(self) -> None:
        super().__init__(self.clock.now)

    async def find(self, provider_key: str) -> ProviderAnswer | None:
        self.asked.append(provider_key)
        return await super().find(provider_key)

    async def list_payments(
        self, *, since: datetime, until: datetime
    ) -> AsyncIterator[ListedPayment]:
        async for each in super().list_payments(since=since, until=until):
            yield each
        for each in self.also_lists:
            if since <= each.created_at < until:
                yield each
        if self.fails is not None:
            raise self.fails

    def alter(self, reference: str | None, **changes: Any) -> None:
        with self.ledger.held() as books:
            entry = books.by_reference(reference or "")
            assert entry is not None
            for name, value in changes.items():
                setattr(entry, name, value)


@pytest.fixture
def sandbox(clock) -> Playing:
    return Playing(clock)


async def an_open_invoice(tenant, plan_code: str = "team") -> Invoice:
    async with tenant.tx() as tx:
        await a_plan(tx, plan_code)
        started = await a_subscription(tx, await an_account(tx), plan_code)
        return started.billed.documents[0]


async def collected(tenant, sandbox, invoice, amount_minor: int = TOTAL) -> Payment:
    """A payment that was asked for; the amount says what the sandbox makes of it."""
    providers = PaymentProviders({"sandbox": sandbox})
    command = pay(invoice, amount_minor, provider="sandbox")
    attempt = await reserve(tenant, command, providers)
    return await collect_attempt(tenant.tx, attempt.id, providers=providers, box=BOX)


async def payment_now(tenant, payment: Payment) -> Payment:
    async with tenant.tx() as tx:
        return await payment_by_id(tx, payment.id)


async def listed_by(sandbox: Playing) -> list[ListedPayment]:
    everything = sandbox.list_payments(since=LAST_WEEK.since, until=LAST_WEEK.until)
    return [each async for each in everything]


async def reconcile(tenant, sandbox, window: Window = LAST_WEEK) -> Reconciled:
    return await reconcile_provider(tenant.tx, window, provider=sandbox, box=BOX)


async def tasks_of(tenant) -> list[Any]:
    async with tenant.tx() as tx:
        return await list_review_tasks(tx, before=None, limit=100)


async def runs_of(tenant) -> list[Any]:
    async with tenant.tx() as tx:
        return await list_reconciliations(tx, before=None, limit=100)


def counts_of(done: Reconciled) -> tuple[int, int, int, int]:
    run = done.run
    return run.compared, run.mended, run.differences, run.foreign_payments


async def test_books_that_agree_are_left_alone(tenant, sandbox):
    await collected(tenant, sandbox, await an_open_invoice(tenant))
    done = await reconcile(tenant, sandbox)
    assert counts_of(done) == (1, 0, 0, 0)
    assert await tasks_of(tenant) == []
    assert await runs_of(tenant) == [done.run]
    assert sandbox.asked == []


async def test_money_of_which_nobody_told_us_is_booked_once(tenant, sandbox, clock):
    """40.08 is paid after a minute; the callback is lost."""
    invoice = await an_open_invoice(tenant)
    slow = await collected(tenant, sandbox, invoice, 4008)
    assert slow.state is PaymentState.PENDING
    clock.move_to(NOON + timedelta(minutes=2))
    done = await reconcile(tenant, sandbox)
    assert counts_of(done) == (1, 1, 0, 0)
    paid = await payment_now(tenant, slow)
    assert (paid.state, paid.captured_minor) == (PaymentState.SUCCEEDED, 4008)
    assert (await invoice_now(tenant, invoice)).due_minor == TOTAL - 4008
    assert counts_of(await reconcile(tenant, sandbox)) == (1, 0, 0, 0)
    assert await payment_now(tenant, slow) == paid


@pytest.mark.parametrize(
    ("amount_minor", "state"),
    [(4007, PaymentState.SUCCEEDED), (4009, PaymentState.FAILED)],
    ids=["paid without an answer", "declined after a minute"],
)
async def test_an_end_that_only_the_provider_knows_is_recorded(
    tenant, sandbox, clock, amount_minor, state
):
    payment = await collected(tenant, sandbox, await an_open_invoice(tenant), amount_minor)
    assert payment.state is PaymentState.PENDING
    clock.move_to(NOON + timedelta(minutes=2))
    assert counts_of(await reconcile(tenant, sandbox)) == (1, 1, 0, 0)
    assert (await payment_now(tenant, payment)).state is state


def with_less(sandbox: Playing, paid: ListedPayment) -> Playing:
    sandbox.alter(paid.reference, amount=euros(4628))
    return sandbox


def declined_after_all(sandbox: Playing, paid: ListedPayment) -> Playing:
    sandbox.alter(paid.reference, state=AttemptState.DECLINED)
    return sandbox


def charged_twice(sandbox: Playing, paid: ListedPayment) -> Playing:
    sandbox.also_lists = [
        replace(paid, reference="second", answer=replace(paid.answer, provider_reference="second"))
    ]
    return sandbox


def of_somebody_else(sandbox: Playing, paid: ListedPayment) -> Playing:
    return Playing(sandbox.clock)


@pytest.mark.parametrize(
    ("spoil", "difference"),
    [
        (with_less, Difference.AMOUNT),
        (declined_after_all, Difference.UNPAID_THERE),
        (charged_twice, Difference.PAID_TWICE),
        (of_somebody_else, Difference.MISSING_THERE),
    ],
)
async def test_what_differs_is_one_task_until_a_person_has_resolved_it(
    tenant, sandbox, spoil, difference
):
    payment = await collected(tenant, sandbox, await an_open_invoice(tenant))
    [paid] = await listed_by(sandbox)
    spoiled = spoil(sandbox, paid)
    for _ in range(2):
        done = await reconcile(tenant, spoiled)
        assert done.run.differences == 1
        assert [each.difference for each in done.findings] == [difference]
    [task] = await tasks_of(tenant)
    assert task.kind == "reconciliation_difference"
    assert (task.subject_id, task.account_id) == (payment.id, payment.account_id)
    assert task.details["difference"] == difference
    assert task.details["here"] == {"state": "succeeded", "amount_minor": 4629, "currency": "EUR"}
    assert await payment_now(tenant, payment) == payment  # nothing was booked because of it
    async with tenant.tx() as tx:
        await resolve_review_task(tx, ResolveReviewTask(task.id, "They have sent a letter."))
    assert (await reconcile(tenant, spoiled)).run.differences == 0


async def test_what_carries_our_name_and_is_unknown_is_told_and_the_rest_is_foreign(
    tenant, other_tenant, sandbox
):
    """Three payments are made there by nobody here: one in this tenant's name."""
    for tenant_id in (tenant.id, other_tenant.id, None):
        await sandbox.collect(to_collect(_NO_RIG, tenant_id=tenant_id))
    done = await reconcile(tenant, sandbox)
    assert counts_of(done) == (1, 0, 1, 2)
    [finding] = done.findings
    assert (finding.difference, finding.here) == (Difference.UNKNOWN_HERE, None)
    [task] = await tasks_of(tenant)
    assert (task.subject_id, task.details["provider_reference"]) == (None, finding.reference)
    assert await tasks_of(other_tenant) == []


async def test_tenants_that_share_an_account_there_are_compared_apart(
    tenant, other_tenant, sandbox
):
    for each in (tenant, other_tenant):
        await collected(each, sandbox, await an_open_invoice(each))
    for each in (tenant, other_tenant):
        assert counts_of(await reconcile(each, sandbox)) == (1, 0, 0, 1)
    assert len(await runs_of(tenant)) == 1


@pytest.mark.parametrize("failure", [OutcomeUnknown("away"), ProviderUnavailable("away")])
async def test_a_provider_that_goes_away_leaves_no_run_and_the_next_one_finds_the_same(
    tenant, sandbox, clock, failure
):
    payment = await collected(tenant, sandbox, await an_open_invoice(tenant), 4008)
    clock.move_to(NOON + timedelta(minutes=2))
    sandbox.fails = failure
    with pytest.raises(type(failure)):
        await reconcile(tenant, sandbox)
    assert await runs_of(tenant) == []
    assert (await payment_now(tenant, payment)).captured_minor in {0, 4008}
    sandbox.fails = None
    await reconcile(tenant, sandbox)
    assert (await payment_now(tenant, payment)).captured_minor == 4008
    assert len(await runs_of(tenant)) == 1
    assert await tasks_of(tenant) == []


async def test_one_that_cannot_be_recorded_keeps_no_other_from_it(
    tenant, sandbox, clock, monkeypatch
):
    for plan_code in ("team", "solo"):
        await collected(tenant, sandbox, await an_open_invoice(tenant, plan_code), 4008)
    clock.move_to(NOON + timedelta(minutes=2))
    record, failures = comparing.record_attempt, [ZeroDivisionError()]

    async def record_or_fail(tx: Any, **values: Any) -> Payment:
        if failures:
            raise failures.pop()
        return await record(tx, **values)

    monkeypatch.setattr(comparing, "record_attempt", record_or_fail)
    assert counts_of(await reconcile(tenant, sandbox)) == (2, 1, 1, 0)


async def test_what_began_before_midnight_and_was_made_after_it_is_not_asked_for(
    tenant, sandbox, clock
):
    """The windows' days begin at noon here."""
    invoice = await an_open_invoice(tenant)
    clock.move_to(NOON + timedelta(hours=23, minutes=59))
    providers = PaymentProviders({"sandbox": sandbox})
    attempt = await reserve(tenant, pay(invoice, provider="sandbox"), providers)
    clock.move_to(NOON + timedelta(hours=24, minutes=1))
    await collect_attempt(tenant.tx, attempt.id, providers=providers, box=BOX)
    two_days = Window(NOON, NOON + timedelta(days=2))
    assert counts_of(await reconcile(tenant, sandbox, two_days)) == (1, 0, 0, 0)
    assert sandbox.asked == []
    # Where the window ends between the two, the provider is asked for the one payment.
    first_day = Window(NOON, NOON + timedelta(days=1))
    assert counts_of(await reconcile(tenant, sandbox, first_day)) == (1, 0, 0, 0)
    assert sandbox.asked == [attempt.provider_key]


async def test_long_books_are_read_in_batches(tenant, sandbox):
    """250 payments of others are three batches, and each is one transaction with one query."""
    for _ in range(250):
        await sandbox.collect(to_collect(_NO_RIG, tenant_id=None))
    opened = []

    @asynccontextmanager
    async def counting() -> AsyncIterator[Any]:
        opened.append(1)
        async with tenant.tx() as tx:
            yield tx

    one_day = Window(NOON, NOON + timedelta(hours=1))
    done = await reconcile_provider(counting, one_day, provider=sandbox, box=BOX)
    assert counts_of(done) == (0, 0, 0, 250)
    # The batches; what is booked and not listed, of payments and of refunds; the disputes that are open,
    # and the time at which asking for them began; the run.
    assert len(opened) == 3 + 2 + 2 + 1


async def test_every_night_begins_where_the_last_one_ended(tenant, sandbox, clock):
    await collected(tenant, sandbox, await an_open_invoice(tenant))
    providers = PaymentProviders({"sandbox": sandbox})
    clock.move_to(NOON + timedelta(hours=2))
    assert await reconcile_providers(work_with(tenant, providers)) == 1
    clock.move_to(NOON + timedelta(days=1))
    sandbox.fails = ProviderUnavailable("away")
    assert await reconcile_providers(work_with(tenant, providers)) == 0
    clock.move_to(NOON + timedelta(days=2))
    sandbox.fails = None
    assert await reconcile_providers(work_with(tenant, providers)) == 1
    last, first = await runs_of(tenant)
    assert first.window == Window(
        NOON + timedelta(hours=1) - timedelta(days=30), NOON + timedelta(hours=1)
    )
    assert last.window == Window(
        first.window.until - timedelta(days=3), NOON + timedelta(days=2, hours=-1)
    )
