"""Is a change undone that was not paid, and only such a one?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from billwright.features.accounts.operations.set_payment_method_presence import (
    set_payment_method_presence,
)
from billwright.features.invoicing.model import InvoiceState
from billwright.features.invoicing.operations.add_charge import AddCharge, add_charge
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.invoicing.operations.settle_invoice import settle_invoice
from billwright.features.invoicing.rules.manual_line import ManualLine
from billwright.features.invoicing.sql.reads import invoice_by_id, lines_of
from billwright.features.promotions.model import Duration, PromotionKind
from billwright.features.promotions.operations.create_promotion import (
    CreatePromotion,
    create_promotion,
)
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.model import OnPaymentFailure, Proration
from billwright.features.subscriptions.operations.change_plan import ChangePlan, change_plan
from billwright.features.subscriptions.operations.change_quantity import (
    ChangeQuantity,
    change_quantity,
)
from billwright.features.subscriptions.operations.revert_unpaid_change import revert_unpaid_change
from billwright.features.subscriptions.operations.schedule_change import ChangeTiming
from billwright.features.subscriptions.sql.reads import (
    subscription_by_id,
    subscription_with_unpaid_change,
)
from tests.features.billing import a_plan, a_subscription, an_account
from tests.features.invoicing.test_reads_use_indexes import Explaining

BEGAN = datetime(2026, 1, 15, 12, tzinfo=UTC)
MEANWHILE = BEGAN + timedelta(days=10)
NEXT_INVOICE = ChangeTiming(proration=Proration.NEXT_INVOICE)


async def subscribed(tenant, *, method=True, **changes):
    async with tenant.tx() as tx:
        await a_plan(tx)
        await a_plan(tx, "solo")
        account = await an_account(tx)
        await set_payment_method_presence(tx, account.id, present=method)
        return (await a_subscription(tx, account, **changes)).subscription


async def more_seats(tenant, subscription, quantity=10, **timing):
    command = ChangeQuantity(
        subscription_id=subscription.id,
        quantities={"seats": Decimal(quantity)},
        timing=ChangeTiming(**timing),
    )
    async with tenant.tx() as tx:
        return await change_quantity(tx, command)


async def reverted(tenant, commanded):
    async with tenant.tx() as tx:
        return await revert_unpaid_change(tx, commanded.billed.documents[-1].id)


async def now(tenant, subscription):
    async with tenant.tx() as tx:
        return await subscription_by_id(tx, subscription.id)


async def test_it_is_known_again_what_was_billed_elsewhere(tenant, clock):
    clock.move_to(MEANWHILE)
    subscription = await subscribed(tenant, starts_at=BEGAN, bills_from=BEGAN + timedelta(days=31))
    async with tenant.tx() as tx:
        anew = ChangePlan(
            subscription_id=subscription.id,
            plan_code="solo",
            timing=ChangeTiming(proration=Proration.FULL_RESET),
        )
        changed = await change_plan(tx, anew)
    assert changed.subscription.bills_from is None
    assert await reverted(tenant, changed)
    after = await now(tenant, subscription)
    assert (after.bills_from, after.is_billed_elsewhere) == (subscription.bills_from, True)


async def test_the_invoice_is_void_and_everything_as_it_was(tenant, clock):
    subscription = await subscribed(tenant)
    clock.move_to(MEANWHILE)
    changed = await more_seats(tenant, subscription)
    assert await now(tenant, subscription) == changed.subscription
    assert await reverted(tenant, changed)
    after = await now(tenant, subscription)
    assert (after.items, after.period) == (subscription.items, subscription.period)
    assert (after.unpaid_change, after.version) == (None, subscription.version + 2)
    async with tenant.tx() as tx:
        invoice = await invoice_by_id(tx, changed.billed.documents[0].id)
        event = await tx.fetch_row(
            "select * from event where type = 'subscription.change_reverted'"
        )
        audited = await tx.fetch_value(
            "select count(*) from audit_entry where action = 'subscription.revert_change'"
        )
        waiting = await tx.fetch_value("select count(*) from charge where invoice_id is null")
    assert invoice.state is InvoiceState.VOID
    assert (event["subject_id"], audited, waiting) == (subscription.id, 1, 0)
    assert not await reverted(tenant, changed)
    # The same can be asked for again, and is billed again.
    again = await more_seats(tenant, subscription)
    assert again.billed.documents[0].total_minor == changed.billed.documents[0].total_minor


async def test_a_promotion_has_left_what_it_had(tenant, clock):
    """Of 50.00 the first invoice took 38.90. Nine seats more for 21 of 31 days are 60.36 (89.10 x 21/31),
    which takes the rest, until it is undone.
    """
    async with tenant.tx() as tx:
        await create_promotion(
            tx,
            CreatePromotion(
                code="TEN",
                name="Ten",
                kind=PromotionKind.FIXED_AMOUNT,
                amount_minor=5000,
                currency="EUR",
                duration=Duration.ONCE,
            ),
        )
    subscription = await subscribed(tenant, promotion_codes=("TEN",))
    left = "select state, remaining_minor from redemption"
    clock.move_to(MEANWHILE)
    async with tenant.tx() as tx:
        before = tuple(await tx.fetch_row(left))
    assert before == ("active", 1110)
    changed = await more_seats(tenant, subscription)
    async with tenant.tx() as tx:
        assert tuple(await tx.fetch_row(left)) == ("exhausted", 0)
    assert await reverted(tenant, changed)
    async with tenant.tx() as tx:
        assert tuple(await tx.fetch_row(left)) == before


@pytest.mark.parametrize(
    ("method", "timing"),
    [
        (False, {}),
        (True, {"on_payment_failure": OnPaymentFailure.APPLY_AND_PAST_DUE}),
        (True, {"proration": Proration.NONE}),
    ],
)
async def test_what_is_not_tried_at_a_method_or_is_to_stay_stays(tenant, clock, method, timing):
    subscription = await subscribed(tenant, method=method)
    clock.move_to(MEANWHILE)
    changed = await more_seats(tenant, subscription, **timing)
    assert changed.subscription.unpaid_change is None
    for document in changed.billed.documents:
        async with tenant.tx() as tx:
            assert not await revert_unpaid_change(tx, document.id)


async def test_a_change_to_less_gives_credit_and_has_nothing_to_fail(tenant, clock):
    subscription = await subscribed(tenant, quantities={"seats": Decimal(10)})
    clock.move_to(MEANWHILE)
    assert (await more_seats(tenant, subscription, 1)).subscription.unpaid_change is None


async def test_what_waited_for_a_document_goes_on_waiting(tenant, clock):
    subscription = await subscribed(tenant)
    clock.move_to(MEANWHILE)
    async with tenant.tx() as tx:
        await add_charge(
            tx,
            AddCharge(
                account_id=subscription.account_id,
                line=ManualLine(
                    description="Training", quantity=Decimal(1), unit_price=Decimal(100)
                ),
            ),
        )
    changed = await more_seats(tenant, subscription)
    async with tenant.tx() as tx:
        lines = await lines_of(tx, changed.billed.documents[0].id)
    assert "Training" not in {line.description for line in lines}


async def test_what_takes_back_what_was_not_invoiced_yet_stays(tenant, clock):
    """The second change credits what the first one charged, which is invoiced together with it."""
    subscription = await subscribed(tenant)
    clock.move_to(MEANWHILE)
    await more_seats(tenant, subscription, 5, proration=Proration.NEXT_INVOICE)
    changed = await more_seats(tenant, subscription)
    assert changed.subscription.unpaid_change is None


async def test_what_is_paid_is_kept_at_once(tenant, clock):
    subscription = await subscribed(tenant)
    clock.move_to(MEANWHILE)
    changed = await more_seats(tenant, subscription)
    invoice_id = changed.billed.documents[0].id
    async with tenant.tx() as tx:
        invoice = await lock_invoice(tx, invoice_id)
        await settle_invoice(tx, invoice, amount_minor=invoice.due_minor)
    assert (await now(tenant, subscription)).unpaid_change is None
    assert not await reverted(tenant, changed)
    async with tenant.tx() as tx:
        assert (await invoice_by_id(tx, invoice_id)).state is InvoiceState.PAID


async def test_what_was_paid_in_part_stays(tenant, clock):
    subscription = await subscribed(tenant)
    clock.move_to(MEANWHILE)
    changed = await more_seats(tenant, subscription)
    async with tenant.tx() as tx:
        invoice = await lock_invoice(tx, changed.billed.documents[0].id)
        await settle_invoice(tx, invoice, amount_minor=100)
    assert not await reverted(tenant, changed)
    assert (await now(tenant, subscription)).items == changed.subscription.items


@pytest.mark.parametrize("later", ["renewal", "change"])
async def test_what_something_came_after_stays(tenant, clock, later):
    subscription = await subscribed(tenant)
    clock.move_to(MEANWHILE)
    changed = await more_seats(tenant, subscription)
    if later == "renewal":
        clock.move_to(subscription.period.end)
        await renew_due_subscriptions(tenant.work())
    else:
        async with tenant.tx() as tx:
            await change_plan(
                tx,
                ChangePlan(subscription_id=subscription.id, plan_code="solo", timing=NEXT_INVOICE),
            )
    assert (await now(tenant, subscription)).unpaid_change is None
    assert not await reverted(tenant, changed)


async def test_another_tenants_change_is_not_found(tenant, other_tenant, clock):
    subscription = await subscribed(tenant)
    clock.move_to(MEANWHILE)
    changed = await more_seats(tenant, subscription)
    assert not await reverted(other_tenant, changed)
    assert (await now(tenant, subscription)).unpaid_change is not None


async def test_it_is_found_by_its_invoice(tenant):
    subscription = await subscribed(tenant)
    async with tenant.tx() as tx:

        async def explained(sql, *values):
            explaining.plans += [row[0] for row in await tx.fetch(f"explain {sql}", *values)]

        explaining = Explaining(tx)
        explaining.fetch_value = explained
        await subscription_with_unpaid_change(explaining, subscription.id)
    assert "subscription_unpaid_change" in "\n".join(explaining.plans)
