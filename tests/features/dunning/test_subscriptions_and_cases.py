"""Which debts are pursued, under whose policy, and what does that make of the subscriptions on them?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.dunning.jobs import take_due_dunning_steps
from billwright.features.dunning.operations.set_dunning_policy import (
    SetDunningPolicy,
    reset_dunning_policy,
    set_dunning_policy,
)
from billwright.features.dunning.rules.policy import policy_of
from billwright.features.dunning.sql.reads import list_cases
from billwright.features.dunning.sql.reads_policies import policy_for
from billwright.features.invoicing.sql.reads import invoice_by_id, list_invoices
from billwright.features.subscriptions.model import Activation
from billwright.features.subscriptions.operations.change_quantity import (
    ChangeQuantity,
    change_quantity,
)
from billwright.features.subscriptions.operations.pause_subscription import (
    PauseSubscription,
    ResumeSubscription,
    pause_subscription,
    resume_subscription,
)
from tests.features.billing import a_plan, a_subscription, an_account
from tests.features.dunning.pursuing import DUE, Bank, Pursuit, a_pursuit
from tests.features.payments.paying import SUCCEEDED, leave_card
from tests.only_commands import allow_writing_by_hand

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


async def test_the_plan_s_policy_comes_before_the_seller_s_and_is_kept(tenant, clock):
    pursuit = await a_pursuit(tenant, clock, policy=policy_of({"schedule": ["P4D"]}))
    async with tenant.tx() as tx:
        of_plan = SetDunningPolicy(policy=policy_of({"schedule": ["P3D"]}), plan_code="team")
        assert (await set_dunning_policy(tx, of_plan)).version == 1
    await pursuit.live_until(DUE + HOUR)
    async with tenant.tx() as tx:
        await reset_dunning_policy(tx, "team")
        assert (await policy_for(tx, None)).policy == policy_of({"schedule": ["P4D"]})
    # It is pursued under the policy that held when that began.
    assert (await pursuit.case()).policy == policy_of({"schedule": ["P3D"]})
    await pursuit.live_until(DUE + 2 * DAY)
    assert len(pursuit.bank.collected) == 1


async def test_an_account_wide_policy_takes_access_from_all_that_the_account_has(tenant, clock):
    policy = policy_of(
        {"scope": "account", "entitlement_steps": [{"after": "P1D", "effect": "revoke"}]}
    )
    pursuit = await a_pursuit(tenant, clock, policy=policy)
    clock.move_to(DUE - DAY)
    async with tenant.tx() as tx:
        account = await account_by_id(tx, pursuit.invoice.account_id)
        other = (await a_subscription(tx, account)).subscription
    await pursuit.live_until(DUE + DAY)
    assert await pursuit.access(other.id) == "revoked"
    pursuit.bank.script = [SUCCEEDED]
    await pursuit.retry()
    assert await pursuit.access(other.id) == "full"


async def test_a_first_payment_that_is_missing_has_an_end_of_its_own(tenant, clock):
    """An incomplete subscription expires; nobody chases what it never had."""
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx, zone="Europe/Berlin", payment_terms_days=0)
        started = await a_subscription(tx, account, activation=Activation.ON_FIRST_PAYMENT)
        invoice = await invoice_by_id(tx, started.billed.documents[0].id)
    assert started.subscription.state == "incomplete"
    await leave_card(tenant, invoice)
    pursuit = Pursuit(tenant, clock, invoice)
    await pursuit.live_until(clock.now() + 2 * DAY)
    assert len(pursuit.bank.collected) == 1
    assert await pursuit.cases() == []
    assert (await pursuit.subscription()).state == "expired"


async def test_who_owes_since_a_pause_is_past_due_when_it_ends(tenant, clock):
    pursuit = await a_pursuit(tenant, clock)
    subscription = await pursuit.subscription()
    async with tenant.tx() as tx:
        await pause_subscription(tx, PauseSubscription(subscription_id=subscription.id))
    await pursuit.live_until(DUE + HOUR)
    assert len(await pursuit.cases()) == 1
    assert (await pursuit.subscription()).state == "paused"
    clock.move_to(DUE + DAY)
    async with tenant.tx() as tx:
        await resume_subscription(tx, ResumeSubscription(subscription_id=subscription.id))
    resumed = await pursuit.subscription()
    assert (resumed.state, resumed.past_due_at) == ("past_due", DUE)


async def test_a_change_that_is_undone_is_not_pursued(tenant, clock):
    """The customer pays at once and on time; five more seats cannot be collected."""
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx, zone="Europe/Berlin", payment_terms_days=0)
        started = await a_subscription(tx, account)
        invoice = await invoice_by_id(tx, started.billed.documents[0].id)
    await leave_card(tenant, invoice)
    pursuit = Pursuit(tenant, clock, invoice, Bank(SUCCEEDED))
    await pursuit.sweep()
    clock.move_to(clock.now() + DAY)
    async with tenant.tx() as tx:
        change = ChangeQuantity(
            subscription_id=started.subscription.id, quantities={"seats": Decimal(6)}
        )
        await change_quantity(tx, change)
    await pursuit.sweep()
    assert len(pursuit.bank.collected) == 2
    assert await pursuit.cases() == []
    subscription = await pursuit.subscription()
    assert subscription.state == "active"
    assert subscription.items == started.subscription.items
    async with tenant.tx() as tx:
        undone, _ = await list_invoices(tx, before=None, limit=9)
    assert undone.state == "void"


async def test_damaged_data_parks_its_account_and_stops_no_other(tenant, clock):
    """Three are due; the one in the middle lives in a zone that does not exist."""
    async with tenant.tx() as tx:
        await a_plan(tx)
        accounts = [await an_account(tx, zone="Europe/Berlin") for _ in range(3)]
        started = [await a_subscription(tx, account) for account in accounts]
        invoices = [await invoice_by_id(tx, one.billed.documents[0].id) for one in started]
    for number, invoice in enumerate(invoices):
        await leave_card(tenant, invoice, reference=f"card-{number}")
    pursuit = Pursuit(tenant, clock, invoices[0])
    await pursuit.live_until(DUE + HOUR)
    async with tenant.tx() as tx:
        await tx.execute("update account set zone = 'Mars/Base' where id = $1", accounts[1].id)
    clock.move_to(datetime(2026, 1, 31, 9, tzinfo=UTC))
    await take_due_dunning_steps(pursuit.work)

    cases = {case.account_id: case.standing for case in await pursuit.cases()}
    assert [cases[account.id].step for account in accounts] == [1, 0, 1]
    async with tenant.tx() as tx:
        parked = [(await account_by_id(tx, one.id)).parked_reason for one in accounts]
        assert [reason is not None for reason in parked] == [False, True, False]
        await tx.execute("update account set zone = 'UTC', parked_reason = null")
    await take_due_dunning_steps(pursuit.work)
    cases = {case.account_id: case.standing for case in await pursuit.cases()}
    assert [cases[account.id].step for account in accounts] == [1, 1, 1]


async def test_money_is_recorded_although_dunning_cannot_go_on(tenant, clock):
    """The account is parked, and the case learns of the decline; nothing is charged twice for it."""
    pursuit = await a_pursuit(tenant, clock, policy=policy_of({"schedule": ["P2D"]}))
    await pursuit.live_until(DUE + HOUR)
    async with tenant.tx() as tx:
        await allow_writing_by_hand(tx)
        await tx.execute(
            "update subscription set currency = 'USD', next_action_at = $1", clock.now()
        )
    clock.move_to(datetime(2026, 1, 31, 9, tzinfo=UTC))
    await take_due_dunning_steps(pursuit.work)
    case = await pursuit.case()
    assert len(pursuit.bank.collected) == 2
    assert (case.standing.step, case.standing.under_way, case.standing.state) == (1, None, "open")
    async with tenant.tx() as tx:
        assert await tx.fetch_value("select parked_reason is not null from account")
        await allow_writing_by_hand(tx)
        await tx.execute("update subscription set currency = 'EUR', next_action_at = null")
        await tx.execute("update account set parked_reason = null")
    await take_due_dunning_steps(pursuit.work)
    assert (await pursuit.case()).standing.state == "exhausted"
    assert (await pursuit.subscription()).state == "canceled"
    assert len(pursuit.bank.collected) == 2


async def test_two_workers_share_the_cases(tenant, clock):
    async with tenant.tx() as tx:
        await a_plan(tx)
        started = [
            await a_subscription(tx, await an_account(tx, zone="Europe/Berlin")) for _ in range(8)
        ]
        invoices = [await invoice_by_id(tx, one.billed.documents[0].id) for one in started]
    for number, invoice in enumerate(invoices):
        await leave_card(tenant, invoice, reference=f"card-{number}")
    pursuit = Pursuit(tenant, clock, invoices[0])
    await pursuit.live_until(DUE + HOUR)
    clock.move_to(datetime(2026, 1, 31, 9, tzinfo=UTC))
    await asyncio.gather(*(take_due_dunning_steps(pursuit.work) for _ in range(3)))
    assert len(pursuit.bank.collected) == len(set(pursuit.bank.collected)) == 16
    async with tenant.tx() as tx:
        cases = await list_cases(tx, before=None, limit=99)
    assert [(case.standing.step, case.standing.attempts) for case in cases] == [(1, 2)] * 8


@pytest.mark.parametrize("name", ["dunning.step", "dunning.notice", "payment.started"])
async def test_a_step_that_is_taken_again_does_nothing(tenant, clock, name):
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(datetime(2026, 1, 31, 8, tzinfo=UTC))
    told = await pursuit.told_of(name)
    for _ in range(3):
        await pursuit.sweep()
    assert await pursuit.told_of(name) == told
