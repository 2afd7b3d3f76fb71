"""Are promotions redeemed, used up and ended as often as they may be?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import asyncpg
import pytest

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.promotions.model import PromotionKind, RedemptionState
from billwright.features.promotions.operations.end_redemption import end_redemption
from billwright.features.promotions.operations.record_discounts import record_discounts
from billwright.features.promotions.operations.store_redemptions import store_redemptions
from billwright.features.promotions.rules.discounts import given_back
from billwright.features.promotions.sql.reads import (
    discounts_of_charges,
    list_redemptions,
    promotion_by_code,
    redemption_by_id,
    redemptions_by_id,
    redemptions_of,
)
from billwright.kernel.refusal import Refusal
from tests.features.billing import a_plan, a_subscription
from tests.features.promotions.redeeming import a_promotion, a_subscriber, days, redeem

ACTIVE, EXHAUSTED, ENDED = RedemptionState
FIXED = PromotionKind.FIXED_AMOUNT


async def events_of(tenant, redemption):
    async with tenant.tx() as tx:
        rows = await tx.fetch(
            "select type, account_id from event where subject_id = $1 order by id", redemption.id
        )
    assert {row["account_id"] for row in rows} <= {redemption.account_id}
    return [row["type"] for row in rows]


async def refusal_of(tenant, subscription, code="SPRING", **changes):
    with pytest.raises(Refusal) as refused:
        async with tenant.tx() as tx:
            await redeem(tx, subscription, code, **changes)
    return refused.value.code


@pytest.mark.parametrize(
    ("kind", "remaining"),
    [
        (PromotionKind.PERCENTAGE, (None, 1, None)),
        (PromotionKind.FIXED_AMOUNT, (5000, None, None)),
        (PromotionKind.FREE_PERIODS, (None, 2, None)),
        (PromotionKind.FREE_DAYS, (None, None, days(7))),
    ],
)
async def test_a_redemption_is_read_as_it_was_made(tenant, kind, remaining):
    subscription, other = await a_subscriber(tenant), await a_subscriber(tenant)
    async with tenant.tx() as tx:
        promotion = await a_promotion(tx, kind=kind)
        made = await redeem(tx, subscription, " spring ")
    async with tenant.tx() as tx:
        assert await redemptions_of(tx, [subscription.id, other.id]) == {subscription.id: (made,)}
        assert await redemptions_by_id(tx, [made.id, uuid4()]) == {made.id: made}
        assert await list_redemptions(tx, promotion.id, before=None, limit=9) == [made]
        assert (await promotion_by_code(tx, "SPRING")).redemptions == 1
        action = await tx.fetch_value(
            "select action from audit_entry where subject_id = $1", made.id
        )
    assert (made.remaining_minor, made.remaining_periods, made.remaining_seconds) == remaining
    assert (made.code, made.state, made.last_period_start) == ("SPRING", ACTIVE, None)
    assert await events_of(tenant, made) == ["promotion.redeemed"]
    assert action == "promotion.redeem"


async def test_what_a_refused_redemption_leaves_is_nothing(tenant):
    subscription = await a_subscriber(tenant)
    async with tenant.tx() as tx:
        await a_promotion(tx, currency="USD")
    assert await refusal_of(tenant, subscription, "AUTUMN") == "promotion_unknown_here"
    assert await refusal_of(tenant, subscription) == "promotion_not_for_currency"
    async with tenant.tx() as tx:
        assert await redemptions_of(tx, [subscription.id]) == {}
        assert (await promotion_by_code(tx, "SPRING")).redemptions == 0


async def test_an_account_redeems_as_often_as_it_may(tenant):
    first = await a_subscriber(tenant)
    async with tenant.tx() as tx:
        account = await lock_account(tx, first.account_id)
        await a_plan(tx, "second")
        second = (await a_subscription(tx, account, "second")).subscription
        await a_promotion(tx, maximum_per_account=1)
        await redeem(tx, first)
    assert await refusal_of(tenant, first) == "promotion_used_up_by_account"
    assert await refusal_of(tenant, second) == "promotion_used_up_by_account"
    async with tenant.tx() as tx:
        await redeem(tx, await a_subscriber(tenant))


async def test_one_that_cannot_be_combined_keeps_others_away_until_it_ends(tenant):
    subscription = await a_subscriber(tenant)
    async with tenant.tx() as tx:
        await a_promotion(tx, "ALONE", combinable=False)
        await a_promotion(tx)
        alone = await redeem(tx, subscription, "ALONE")
    assert await refusal_of(tenant, subscription) == "promotion_not_combinable"
    assert await refusal_of(tenant, subscription, "ALONE") == "promotion_redeemed_already"
    async with tenant.tx() as tx:
        await end_redemption(tx, alone.id)
        await redeem(tx, subscription)
    assert await refusal_of(tenant, subscription, "ALONE") == "promotion_not_combinable"


async def test_the_last_one_is_redeemed_once(tenant):
    subscriptions = [await a_subscriber(tenant) for _ in range(4)]
    async with tenant.tx() as tx:
        await a_promotion(tx, maximum_redemptions=2)

    async def attempt(subscription):
        try:
            async with tenant.tx() as tx:
                await lock_account(tx, subscription.account_id)
                await redeem(tx, subscription)
        except Refusal as refusal:
            return refusal.code
        return "redeemed"

    outcomes = await asyncio.gather(*map(attempt, subscriptions))
    assert sorted(outcomes) == ["promotion_used_up"] * 2 + ["redeemed"] * 2
    async with tenant.tx() as tx:
        assert (await promotion_by_code(tx, "SPRING")).redemptions == 2


async def test_what_is_left_is_kept_and_its_end_is_told_once(tenant):
    subscriptions = [await a_subscriber(tenant) for _ in range(2)]
    async with tenant.tx() as tx:
        await a_promotion(tx, kind=FIXED)
        one, two = [await redeem(tx, subscription) for subscription in subscriptions]
    used = replace(one, remaining_minor=0, state=EXHAUSTED)
    partly = replace(two, remaining_minor=17, last_period_start=two.redeemed_at)
    for _ in range(2):
        async with tenant.tx() as tx:
            await store_redemptions(tx, [])
            await store_redemptions(tx, [used, partly])
    async with tenant.tx() as tx:
        assert await redemptions_by_id(tx, [one.id, two.id]) == {one.id: used, two.id: partly}
        assert list(await redemptions_of(tx, [one.subscription_id, two.subscription_id])) == [
            two.subscription_id
        ]
    assert await events_of(tenant, one) == ["promotion.redeemed", "promotion.exhausted"]
    assert await events_of(tenant, two) == ["promotion.redeemed"]
    with pytest.raises(RuntimeError):
        async with tenant.tx() as tx:
            await store_redemptions(tx, [replace(used, id=uuid4())])


async def test_what_comes_back_lives_beside_a_newer_redemption(tenant):
    subscription = await a_subscriber(tenant)
    async with tenant.tx() as tx:
        await a_promotion(tx, kind=FIXED)
        one = await redeem(tx, subscription)
        used = replace(one, remaining_minor=0, state=EXHAUSTED)
        await store_redemptions(tx, [used])
        two = await redeem(tx, subscription)
        back = given_back(used, amount_minor=100, seconds=0)
        await store_redemptions(tx, [back])
        assert await redemptions_of(tx, [subscription.id]) == {subscription.id: (back, two)}


async def test_each_use_is_recorded_for_good(tenant):
    subscription = await a_subscriber(tenant)
    async with tenant.tx() as tx:
        await a_promotion(tx)
        redemption = await redeem(tx, subscription)
        charges = await tx.fetch("select id from charge order by id")
        taken, free, given = (charges[0]["id"], charges[1]["id"], uuid4())
        await record_discounts(tx, [])
        await record_discounts(tx, [(taken, redemption.id, 580), (free, redemption.id, 0)])
        assert await discounts_of_charges(tx, [taken, free, given]) == {
            taken: ((redemption.id, 580),)
        }
    for statement in ("update discount set amount_minor = 1", "delete from discount"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with tenant.tx() as tx:
                await tx.execute(statement)


async def test_what_a_person_ends_stays_ended(tenant):
    subscription = await a_subscriber(tenant)
    async with tenant.tx() as tx:
        await a_promotion(tx, percent=Decimal(50))
        redemption = await redeem(tx, subscription)
    for _ in range(2):
        async with tenant.tx() as tx:
            ended = await end_redemption(tx, redemption.id)
        assert ended == replace(redemption, state=ENDED)
    async with tenant.tx() as tx:
        assert await redemption_by_id(tx, redemption.id) == ended
        assert await redemptions_of(tx, [subscription.id]) == {}
    assert await events_of(tenant, redemption) == ["promotion.redeemed", "promotion.ended"]


async def test_another_tenants_redemption_is_invisible(tenant, other_tenant):
    subscription = await a_subscriber(tenant)
    async with tenant.tx() as tx:
        promotion = await a_promotion(tx)
        redemption = await redeem(tx, subscription)
    async with other_tenant.tx() as tx:
        assert await redemptions_of(tx, [subscription.id]) == {}
        assert await redemptions_by_id(tx, [redemption.id]) == {}
        assert await list_redemptions(tx, promotion.id, before=None, limit=9) == []
        with pytest.raises(Refusal) as refused:
            await end_redemption(tx, redemption.id)
    assert refused.value.code == "redemption_unknown"
    assert await refusal_of(other_tenant, subscription) == "promotion_unknown_here"
