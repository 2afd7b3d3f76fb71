"""Can more be granted than plans give, and be taken back?"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from billwright.features.catalog.model import Combination, FeatureKind, PlanFeature
from billwright.features.catalog.operations.update_feature import UpdateFeature, update_feature
from billwright.features.entitlements.operations.grant_allotment import (
    GrantAllotment,
    grant_allotment,
)
from billwright.features.entitlements.operations.measure_grants import measure_grants
from billwright.features.entitlements.operations.void_grant import void_grant
from billwright.features.entitlements.rules.granting import Grant
from billwright.features.entitlements.sql.reads_grants import grant_by_id, list_grants
from billwright.features.subscriptions.model import CancellationMode
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.kernel.calendar import Interval, IntervalUnit
from billwright.kernel.refusal import Refusal
from tests.conftest import NOON
from tests.features.billing import a_plan, an_account
from tests.features.entitlements.pooling import Customer, a_customer, a_meter, calls, forget

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def grant(customer, amount, *, now=None, subscription_id=None, feature="calls", **terms):
    async with customer.tenant.tx(now) as tx:
        return await grant_allotment(
            tx,
            GrantAllotment(
                account_id=customer.account_id,
                feature_code=feature,
                subscription_id=subscription_id,
                grant=Grant(amount=Decimal(amount), reason="Bought", **terms),
            ),
        )


async def left_of(customer, grant_id, now=None):
    async with customer.tenant.tx(now) as tx:
        kept = await grant_by_id(tx, grant_id)
        return (await measure_grants(tx, [kept]))[grant_id]


async def test_what_expires_first_is_used_first(tenant):
    customer = await a_customer(tenant)
    made = await grant(customer, 50, expires_at=NOON + DAY)
    assert await customer.numbers() == (150, 0, 0, 150)
    await customer.use(30)
    assert await left_of(customer, made.id) == 20
    assert await customer.numbers() == (150, 30, 0, 120)
    # With the grant, its other 20 are gone.
    assert await customer.numbers(NOON + DAY) == (130, 30, 0, 100)
    assert await left_of(customer, made.id, NOON + DAY) == 20
    await forget(tenant)
    assert await customer.numbers(NOON + DAY) == (130, 30, 0, 100)


async def test_a_grant_that_is_voided_has_what_was_used_of_it(tenant):
    customer = await a_customer(tenant)
    made = await grant(customer, 50, priority=1)
    await customer.use(30)
    async with tenant.tx(NOON + HOUR) as tx:
        voided = await void_grant(tx, made.id)
    assert (voided.balance, voided.voided_at) == (20, NOON + HOUR)
    assert await customer.numbers(NOON + HOUR) == (130, 30, 0, 100)
    assert await left_of(customer, made.id, NOON + 2 * HOUR) == 20
    with pytest.raises(Refusal, match="voided"):
        async with tenant.tx(NOON + HOUR) as tx:
            await void_grant(tx, made.id)


async def test_a_grant_alone_gives_a_feature_and_stays_when_plans_come_and_go(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx, features=(calls(100),))
        account = await an_account(tx)
    customer = Customer(tenant, account.id, account.id)
    assert await customer.standing() is None
    made = await grant(customer, 40)
    assert await customer.numbers() == (40, 0, 0, 40)
    assert await customer.numbers(NOON + 400 * DAY) == (40, 0, 0, 40)
    other = await a_customer(tenant, plan="second")
    kept = await grant(other, 40)
    async with tenant.tx() as tx:
        await cancel_subscription(
            tx,
            CancelSubscription(subscription_id=other.subscription_id, mode=CancellationMode.NOW),
        )
    assert await other.numbers() == (40, 0, 0, 40)
    async with tenant.tx() as tx:
        await void_grant(tx, kept.id)
    assert await other.standing() is None
    assert await left_of(customer, made.id) == 40


async def test_a_grant_that_is_to_come_gives_nothing_before(tenant):
    customer = await a_customer(tenant)
    made = await grant(customer, 40, effective_at=NOON + DAY)
    assert await customer.numbers(NOON + HOUR) == (100, 0, 0, 100)
    assert await customer.numbers(NOON + DAY) == (140, 0, 0, 140)
    assert await left_of(customer, made.id) == 40


async def test_a_grant_of_a_level_widens_it(tenant):
    async with tenant.tx() as tx:
        await a_meter(tx, aggregation="max")
    customer = await a_customer(tenant)
    made = await grant(customer, 20)
    await customer.use(110)
    assert await customer.numbers() == (120, 110, 0, 10)
    assert await left_of(customer, made.id) == 20


async def test_each_subscription_has_its_own_grants_where_each_has_its_own_pool(tenant):
    customer = await a_customer(tenant)
    async with tenant.tx() as tx:
        await update_feature(
            tx,
            UpdateFeature(feature_code="calls", changes={"combination": Combination.PARALLEL}),
        )
    with pytest.raises(Refusal) as refused:
        await grant(customer, 10)
    assert refused.value.code == "entitlement_grant_needs_subscription"
    await grant(customer, 10, subscription_id=customer.subscription_id)
    whose = {"subscription_id": customer.subscription_id}
    assert await customer.numbers(**whose) == (110, 0, 0, 110)


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"amount": 0}, "entitlement_grant_amount_invalid"),
        ({"amount": "0.0000001"}, "entitlement_grant_amount_invalid"),
        ({"rollover_min": Decimal(11)}, "entitlement_grant_rollover_unfit"),
        ({"effective_at": NOON - DAY}, "entitlement_grant_begins_in_past"),
        ({"expires_at": NOON}, "entitlement_grant_ends_before_begin"),
        ({"recurrence": Interval(IntervalUnit.HOUR)}, "entitlement_grant_recurrence_too_short"),
        ({"feature": "sso"}, "entitlement_grant_feature_not_metered"),
        ({"feature": "nothing"}, "feature_unknown_here"),
    ],
)
async def test_what_makes_no_sense_is_refused(tenant, terms, code):
    customer = await a_customer(tenant)
    async with tenant.tx() as tx:
        sso = PlanFeature("sso", "Single sign-on", FeatureKind.BOOLEAN, True)
        await a_plan(tx, "sso", features=(sso,))
    with pytest.raises(Refusal) as refused:
        await grant(customer, **{"amount": 10, **terms})
    assert refused.value.code == code


async def test_an_additive_feature_is_granted_to_the_account(tenant):
    customer = await a_customer(tenant)
    with pytest.raises(Refusal) as refused:
        await grant(customer, 10, subscription_id=customer.subscription_id)
    assert refused.value.code == "entitlement_grant_is_for_account"


async def test_grants_are_found_by_what_is_asked_and_by_their_tenant_alone(tenant, other_tenant):
    customer = await a_customer(tenant)
    first = await grant(customer, 10, expires_at=NOON + HOUR)
    second = await grant(customer, 10)

    async def listed(**filters):
        async with tenant.tx() as tx:
            found = await list_grants(tx, customer.account_id, before=None, limit=9, **filters)
        return [one.allotment.id for one in found]

    assert await listed() == [second.id, first.id]
    assert await listed(in_force_at=NOON + DAY) == [second.id]
    assert await listed(feature="other") == []
    with pytest.raises(Refusal, match="no entitlement grant"):
        async with other_tenant.tx() as tx:
            await void_grant(tx, first.id)
