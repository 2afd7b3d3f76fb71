"""Is a charge read as it was written, for as long as it lives?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from billwright.features.catalog.model import PlanComponentId
from billwright.features.invoicing.model import (
    Basis,
    ChargeKind,
    InvoiceTiming,
    UsedOf,
)
from billwright.features.invoicing.operations.invoice_pending_charges import (
    InvoicePendingCharges,
    invoice_pending_charges,
)
from billwright.features.invoicing.sql.reads import (
    lines_of,
    live_charges,
    open_invoices_of,
    pending_charges,
)
from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.promotions.model import PromotionKind
from billwright.features.promotions.operations.create_promotion import (
    CreatePromotion,
    create_promotion,
)
from billwright.features.promotions.operations.redeem_promotion import (
    RedeemPromotion,
    redeem_promotion,
)
from billwright.kernel.money import Rounding
from billwright.kernel.proration import Granularity
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.errors import IntegrityViolation
from tests.features.billing import a_plan, an_account
from tests.features.invoicing.charging import (
    FEBRUARY,
    JANUARY,
    MID_JANUARY,
    a_charge,
    a_subscription_row,
    billed,
    the_rest_of,
)


async def a_subscriber(tx):
    plan = await a_plan(tx)
    account = await an_account(tx)
    subscription_id = await a_subscription_row(tx, account, plan.version)
    component_id: PlanComponentId = plan.version.components[1].id
    recurring = a_charge(
        8000,
        kind=ChargeKind.RECURRING,
        subscription_id=subscription_id,
        plan_component_id=component_id,
    )
    return account, recurring


async def test_a_charge_is_read_as_it_was_written(tenant, other_tenant):
    async with tenant.tx() as tx:
        account, recurring = await a_subscriber(tx)
        await create_promotion(
            tx,
            CreatePromotion(
                code="SPRING",
                name="Spring",
                kind=PromotionKind.PERCENTAGE,
                percent=Decimal(20),
            ),
        )
        redemption = await redeem_promotion(
            tx,
            RedeemPromotion(
                code="SPRING",
                account_id=account.id,
                subscription_id=recurring.subscription_id,
                plan_code="team",
                currency="EUR",
                is_new_customer=True,
            ),
        )
        charge = replace(
            recurring,
            quantity=Decimal("3.500000"),
            unit_price=Decimal("28.571428571429"),
            discounts=((redemption.id, 2000),),
            tax_inclusive=True,
            basis=Basis(
                whole_start=JANUARY,
                whole_end=FEBRUARY,
                granularity=Granularity.DAY,
                zone="Europe/Berlin",
                rounding=Rounding.HALF_EVEN,
                pricing=PerUnit(price=Decimal("28.5714285714")),
                minimum_minor=500,
                usage=UsedOf(meter="api_calls", cutoff=MID_JANUARY, events=3, digest="ab"),
            ),
        )
        (document,) = (await billed(tx, account, charge)).documents
        (line,) = await lines_of(tx, document.id)
        found = await live_charges(tx, [recurring.subscription_id], at=MID_JANUARY)
    ((live,),) = found.values()
    assert live.charge == replace(charge, tax_rate=Decimal("0.19"))
    assert (live.listed_minor, live.creditable_minor, line.discount_minor) == (10000, 8000, 2000)
    async with tenant.tx() as tx:
        # A credit returns the discount in proportion, and the charge is not live any more.
        credit = the_rest_of(live, 4000, discounts=((redemption.id, -1000),))
        (document,) = (await billed(tx, account, credit)).documents
        (line,) = await lines_of(tx, document.id)
        assert (line.amount_minor, line.discount_minor) == (-4000, -1000)
        assert await tx.fetch_value("select sum(amount_minor) from discount") == 1000
        assert await live_charges(tx, [recurring.subscription_id], at=MID_JANUARY) == {}
    async with other_tenant.tx() as tx:
        assert await live_charges(tx, [recurring.subscription_id], at=JANUARY) == {}
        assert await pending_charges(tx, [account.id]) == {}
        with pytest.raises(Refusal):
            await invoice_pending_charges(tx, InvoicePendingCharges(account.id))


async def test_live_are_the_recurring_charges_of_time_to_come(tenant):
    async with tenant.tx() as tx:
        account, recurring = await a_subscriber(tx)
        once = replace(recurring, kind=ChargeKind.ONE_TIME)
        await billed(tx, account, recurring, once, timing=InvoiceTiming.LATER)
        ids = [recurring.subscription_id]
        ((live,),) = (await live_charges(tx, ids, at=MID_JANUARY)).values()
        assert (live.charge, live.charge.tax_rate) == (recurring, None)
        assert await live_charges(tx, ids, at=FEBRUARY) == {}


async def test_what_was_taken_back_from_its_first_instant_can_be_owed_again(tenant):
    async with tenant.tx() as tx:
        account, recurring = await a_subscriber(tx)
        await billed(tx, account, recurring)
    with pytest.raises(IntegrityViolation):
        async with tenant.tx() as tx:
            await billed(tx, account, recurring)
    async with tenant.tx() as tx:
        found = await live_charges(tx, [recurring.subscription_id], at=JANUARY)
        ((live,),) = found.values()
        await billed(tx, account, the_rest_of(live, 8000, period_start=JANUARY))
        again = await billed(tx, account, recurring)
    # 80.00 with tax. The credit note has taken it off the first invoice, which was not paid.
    assert [(each.total_minor, each.due_minor) for each in again.documents] == [(9520, 9520)]


async def test_open_are_the_invoices_on_which_something_is_due(tenant):
    async with tenant.tx() as tx:
        account, recurring = await a_subscriber(tx)
        once = replace(recurring, kind=ChargeKind.ONE_TIME)
        free = replace(recurring, period_start=FEBRUARY, period_end=FEBRUARY, amount_minor=0)
        documents = [
            (await billed(tx, account, *charges)).documents[0]
            for charges in ((recurring, once), (free,), (a_charge(100),))
        ]
        assert await open_invoices_of(tx, recurring.subscription_id) == [(documents[0].id, 0)]
