"""Are people told of an end in time, once, and with the amount that then comes?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from billwright.features.accounts.model import Collection
from billwright.features.accounts.operations.create_test_clock import create_test_clock
from billwright.features.accounts.operations.request_test_clock_advance import (
    request_test_clock_advance,
)
from billwright.features.catalog.model import TrialEndBehavior
from billwright.features.invoicing.operations.grant_credit import ChangeCredit, grant_credit
from billwright.features.invoicing.sql.reads import list_invoices
from billwright.features.maintenance.operations.advance_test_clock import advance_test_clock
from billwright.features.subscriptions.jobs import remind_subscribers, renew_due_subscriptions
from billwright.features.subscriptions.model import CancellationMode, Reminder
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.features.subscriptions.operations.change_trial import ExtendTrial, extend_trial
from billwright.features.subscriptions.operations.set_renewal import SetRenewal, set_renewal
from billwright.kernel.calendar import Interval, IntervalUnit
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.runtime.db.json import from_json
from tests.conftest import NOON
from tests.features.billing import a_plan, a_subscription, an_account

YEARLY = Interval(IntervalUnit.YEAR)


async def begun(tenant, *, account=None, plan=None, **changes):
    async with tenant.tx() as tx:
        await a_plan(tx, **(plan or {}))
        customer = await an_account(tx, **(account or {}))
        return (await a_subscription(tx, customer, **changes)).subscription


async def told(tenant):
    """What was published of ends that come, oldest first."""
    async with tenant.tx() as tx:
        rows = await tx.fetch(
            """select type, data from event
               where type in ('subscription.trial_ending', 'subscription.renewal_upcoming')
               order by id"""
        )
    return [(row["type"], from_json(row["data"])) for row in rows]


async def run_at(tenant, clock, at):
    clock.move_to(at)
    return await remind_subscribers(tenant.work())


async def test_a_trial_is_told_of_three_days_before_and_once(tenant, clock):
    await begun(tenant, trial_days=14)
    end = NOON + timedelta(days=14)
    assert await run_at(tenant, clock, end - timedelta(days=3, seconds=1)) == 0
    assert await run_at(tenant, clock, end - timedelta(days=3)) == 1
    assert await run_at(tenant, clock, end - timedelta(days=1)) == 0
    [(kind, facts)] = await told(tenant)
    assert kind == "subscription.trial_ending"
    assert (facts["outcome"], facts["needs_payment_method"]) == ("continue", False)
    # 29.00 + 9.90 = 38.90; 19 % of that is 7.391.
    assert (facts["amount_minor"], facts["currency"]) == (4629, "EUR")
    clock.move_to(end)
    await renew_due_subscriptions(tenant.work())
    async with tenant.tx() as tx:
        assert [one.due_minor for one in await list_invoices(tx, before=None, limit=9)] == [4629]


async def test_to_foresee_leaves_nothing_behind(tenant, clock):
    await begun(tenant, trial_days=14)
    await run_at(tenant, clock, NOON + timedelta(days=12))
    async with tenant.tx() as tx:
        assert await list_invoices(tx, before=None, limit=9) == []
        types = await tx.fetch("select type from event where type like 'invoice.%'")
        numbers = await tx.fetch("select last_sequence from invoice_number where last_sequence > 0")
    assert (types, numbers) == ([], [])


async def test_another_end_is_told_of_again(tenant, clock):
    subscription = await begun(tenant, trial_days=14)
    await run_at(tenant, clock, NOON + timedelta(days=12))
    end = NOON + timedelta(days=30)
    async with tenant.tx() as tx:
        await extend_trial(tx, ExtendTrial(subscription_id=subscription.id, trial_end=end))
    assert await run_at(tenant, clock, NOON + timedelta(days=26)) == 0
    assert await run_at(tenant, clock, NOON + timedelta(days=27)) == 1
    assert len(await told(tenant)) == 2


async def test_who_has_canceled_is_not_told(tenant, clock):
    subscription = await begun(tenant, trial_days=14)
    async with tenant.tx() as tx:
        await cancel_subscription(
            tx,
            CancelSubscription(subscription_id=subscription.id, mode=CancellationMode.PERIOD_END),
        )
    assert await run_at(tenant, clock, NOON + timedelta(days=12)) == 0
    assert await told(tenant) == []


@pytest.mark.parametrize(
    ("behavior", "outcome"), [(TrialEndBehavior.PAUSE, "pause"), (TrialEndBehavior.CANCEL, "end")]
)
async def test_what_is_missing_is_said(tenant, clock, behavior, outcome):
    await begun(tenant, trial_days=14, trial_end_behavior=behavior)
    await run_at(tenant, clock, NOON + timedelta(days=12))
    [(_, facts)] = await told(tenant)
    assert (facts["outcome"], facts["needs_payment_method"], facts["amount_minor"]) == (
        outcome,
        True,
        None,
    )


async def test_a_year_is_told_of_seven_days_before_each_renewal_unless_it_is_switched_off(
    tenant, clock
):
    subscription = await begun(tenant, plan={"interval": YEARLY})
    async with tenant.tx() as tx:
        euros = Money(1000, currency_of("EUR"))
        await grant_credit(
            tx, ChangeCredit(account_id=subscription.account_id, amount=euros, reason="Sorry")
        )
    assert await run_at(tenant, clock, datetime(2027, 1, 8, 12, tzinfo=UTC)) == 1
    [(kind, facts)] = await told(tenant)
    assert (kind, facts["plan_code"]) == ("subscription.renewal_upcoming", "team")
    assert facts["amount_minor"] == 3629  # 46.29, of which 10.00 are there
    clock.move_to(datetime(2027, 1, 15, 12, tzinfo=UTC))
    await renew_due_subscriptions(tenant.work())
    async with tenant.tx() as tx:
        command = SetRenewal(subscription_id=subscription.id, reminder=Reminder(0))
        assert (await set_renewal(tx, command)).subscription.renews
    assert await run_at(tenant, clock, datetime(2028, 1, 10, 12, tzinfo=UTC)) == 0


async def test_what_waits_for_the_billing_day_has_no_amount(tenant, clock):
    await begun(
        tenant,
        account={"collection": Collection.BILLING_DAY, "billing_day": 1},
        plan={"interval": YEARLY},
    )
    await run_at(tenant, clock, datetime(2027, 1, 10, 12, tzinfo=UTC))
    [(_, facts)] = await told(tenant)
    assert facts["amount_minor"] is None


async def test_two_subscriptions_of_an_account_are_told_of_each_for_itself(tenant, clock):
    subscription = await begun(tenant, trial_days=14)
    async with tenant.tx() as tx:
        await a_plan(tx, "business")
        account = replace(await an_account(tx), id=subscription.account_id)
        await a_subscription(
            tx, account, "business", trial_days=14, quantities={"seats": Decimal(2)}
        )
    assert await run_at(tenant, clock, NOON + timedelta(days=12)) == 2
    # 48.80 and 19 %: 9.272.
    assert sorted(facts["amount_minor"] for _, facts in await told(tenant)) == [4629, 5807]


async def test_it_works_on_a_test_clock(tenant, registry):
    async with tenant.tx() as tx:
        clock_id = (await create_test_clock(tx, name="trial", now=NOON)).id
    await begun(tenant, account={"test_clock_id": clock_id}, trial_days=14)
    async with tenant.tx() as tx:
        await request_test_clock_advance(
            tx, test_clock_id=clock_id, target=NOON + timedelta(days=15)
        )
    work = replace(tenant.work("advance_test_clock"), sweeps=registry.sweeps)
    await advance_test_clock(work, {"test_clock_id": str(clock_id)})
    async with tenant.tx() as tx:
        events = await tx.fetch(
            """select type, occurred_at from event where type in (
                   'subscription.trial_ending', 'subscription.started') order by occurred_at"""
        )
    assert [(row["type"], row["occurred_at"]) for row in events] == [
        ("subscription.trial_ending", NOON + timedelta(days=11)),
        ("subscription.started", NOON + timedelta(days=14)),
    ]
