"""Does one call bring a whole year of changes, exactly as the year itself would have?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from billwright.features.accounts.model import Collection
from billwright.features.accounts.operations.create_test_clock import create_test_clock
from billwright.features.accounts.operations.request_test_clock_advance import (
    request_test_clock_advance,
)
from billwright.features.catalog.model import PlanTerms
from billwright.features.invoicing.jobs import invoice_due_accounts
from billwright.features.invoicing.sql.reads import lines_of, list_invoices
from billwright.features.maintenance.operations.advance_test_clock import advance_test_clock
from billwright.features.promotions.model import Duration, PromotionKind
from billwright.features.promotions.operations.create_promotion import (
    CreatePromotion,
    create_promotion,
)
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.model import (
    CancellationMode,
    CancellationProration,
    PauseProration,
    Proration,
)
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.features.subscriptions.operations.change_plan import ChangePlan, change_plan
from billwright.features.subscriptions.operations.pause_subscription import (
    PauseSubscription,
    pause_subscription,
)
from billwright.features.subscriptions.operations.schedule_change import ChangeTiming, Effective
from billwright.features.subscriptions.operations.set_renewal import SetRenewal, set_renewal
from tests.conftest import make_tenant
from tests.features.billing import a_plan, a_subscription, an_account, in_arrears, one_time

BEGAN = datetime(2026, 1, 31, 9, tzinfo=UTC)
ENDS = datetime(2027, 1, 31, 9, tzinfo=UTC)


def day(month: int, number: int, *, year: int = 2026) -> datetime:
    return datetime(year, month, number, 9, tzinfo=UTC)


async def customers(tenant, *, on_clock: bool):
    """Accounts to whom everything happens that can be arranged beforehand. Returns their clock."""
    async with tenant.tx() as tx:
        clock_id = (await create_test_clock(tx, name="year", now=BEGAN)).id if on_clock else None
        await a_plan(tx)
        await a_plan(tx, "storage", components=(in_arrears("storage", "3.10"),))
        await a_plan(
            tx,
            "tried",
            components=(one_time("setup", "99.00"), in_arrears("storage", "31.00")),
            terms=PlanTerms(trial_days=14),
        )
        await create_promotion(
            tx,
            CreatePromotion(
                code="START",
                name="Half of the first quarter",
                kind=PromotionKind.PERCENTAGE,
                percent=Decimal(50),
                duration=Duration.PERIODS,
                duration_periods=3,
            ),
        )
    async with tenant.tx() as tx:
        # Nothing is paid here, and nobody is to be pursued for it.
        account = await an_account(tx, test_clock_id=clock_id, payment_terms_days=365)
        await a_subscription(tx, account, "tried")
        await a_subscription(tx, account, promotion_codes=("START",))
        await a_subscription(tx, account, starts_at=day(3, 31))
        changed = (await a_subscription(tx, account)).subscription
        timing = ChangeTiming(
            effective=Effective.AT, at=day(2, 10), proration=Proration.INVOICE_NOW
        )
        await change_plan(
            tx, ChangePlan(subscription_id=changed.id, plan_code="storage", timing=timing)
        )
        ending = (await a_subscription(tx, account)).subscription
        await cancel_subscription(
            tx,
            CancelSubscription(
                subscription_id=ending.id,
                mode=CancellationMode.AT,
                cancel_at=day(7, 15),
                proration=CancellationProration.CREDIT,
            ),
        )
        resting = (await a_subscription(tx, account)).subscription
        await pause_subscription(
            tx,
            PauseSubscription(
                subscription_id=resting.id,
                proration=PauseProration.CREDIT,
                resumes_at=day(5, 20),
            ),
        )
        once = (await a_subscription(tx, account)).subscription
        await set_renewal(tx, SetRenewal(subscription_id=once.id, renews=False))
    async with tenant.tx() as tx:
        monthly = await an_account(
            tx,
            payment_terms_days=365,
            test_clock_id=clock_id,
            collection=Collection.BILLING_DAY,
            billing_day=31,
        )
        await a_subscription(tx, monthly)
        await a_subscription(tx, monthly, "storage")
    return clock_id


async def live_through(tenant, clock) -> None:
    """Let the machine's time pass to the end, and run the real sweeps when something is due."""
    while True:
        async with tenant.tx() as tx:
            due = await tx.fetch_value(
                """select least((select min(next_action_at) from subscription),
                                (select min(next_invoice_at) + interval '1 hour' from account))"""
            )
        if due is None or due > ENDS:
            break
        clock.move_to(max(due, clock.now()))
        await invoice_due_accounts(tenant.work())
        await renew_due_subscriptions(tenant.work())
    clock.move_to(ENDS)


async def documents_of(tenant) -> dict[str, tuple]:
    """What was billed, to the last digit, without ids, by the numbers of the documents."""
    async with tenant.tx() as tx:
        return {
            invoice.number: (
                invoice.kind,
                invoice.state,
                invoice.issued_on,
                invoice.total_minor,
                invoice.due_minor,
                [
                    replace(
                        line,
                        id=None,
                        subscription_id=None,
                        plan_component_id=None,
                        corrects_charge_id=None,
                    )
                    for line in await lines_of(tx, invoice.id)
                ],
            )
            for invoice in await list_invoices(tx, before=None, limit=200)
        }


async def test_an_eventful_year_in_one_call_is_the_year(database, clock, registry):
    at_once = await make_tenant(database, "at_once")
    really = await make_tenant(database, "really")
    clock_id = await customers(at_once, on_clock=True)
    async with at_once.tx() as tx:
        await request_test_clock_advance(tx, test_clock_id=clock_id, target=ENDS)
    work = replace(at_once.work("advance_test_clock"), sweeps=registry.sweeps)
    await advance_test_clock(work, {"test_clock_id": str(clock_id)})
    clock.move_to(BEGAN)
    await customers(really, on_clock=False)
    await live_through(really, clock)
    billed = await documents_of(at_once)
    assert await documents_of(really) == billed
    async with at_once.tx() as tx:
        states = await tx.fetch("select state, next_action_at from subscription")
        waiting = await tx.fetch_value(
            "select min(created_at) from charge where invoice_id is null"
        )
    # One ended at its date, one with its only period; the others go on beyond the year.
    assert sorted(row["state"] for row in states) == ["active"] * 7 + ["canceled"] * 2
    assert all(row["next_action_at"] > ENDS for row in states if row["state"] == "active")
    # On the billing day, the last of each month, everything was collected; what came since waits.
    assert waiting is None or ENDS - waiting < timedelta(days=31)
