"""Do pools follow what is used, and what gives them?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.catalog.model import Combination, Reset, ResetKind
from billwright.features.catalog.operations.update_feature import UpdateFeature, update_feature
from billwright.features.entitlements.operations.adjust_pools import adjust_pools
from billwright.features.entitlements.operations.settle_pools import settle_pools
from billwright.features.entitlements.sql.reads_pools import open_pools
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.model import CancellationMode
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.features.subscriptions.operations.change_plan import ChangePlan, change_plan
from billwright.features.subscriptions.sql.reads_usage import usage_places
from billwright.features.usage.model import Aggregation, EventName, WholeUnits
from billwright.features.usage.operations.correct_usage import (
    Correction,
    correct_usage,
    corrected_by,
)
from tests.conftest import NOON
from tests.features.billing import a_plan, a_subscription
from tests.features.entitlements.pooling import a_customer, a_meter, calls, forget

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def test_usage_counts_at_once_and_nothing_that_is_forgotten_changes_it(tenant):
    customer = await a_customer(tenant)
    assert await customer.numbers() == (100, 0, 0, 100)
    await customer.use(30)
    await customer.use("0.5")
    assert await customer.numbers() == (100, 30.5, 0, 69.5)
    await forget(tenant)
    assert await customer.numbers() == (100, 30.5, 0, 69.5)
    # Of the time before the period began, and of after it has ended.
    await customer.use(7, at=NOON - HOUR)
    await customer.use(9, at=NOON + 40 * DAY)
    assert await customer.numbers() == (100, 30.5, 0, 69.5)
    await customer.use(90)
    assert await customer.numbers() == (100, 120.5, 20.5, 0)


async def test_corrections_are_counted(tenant):
    customer = await a_customer(tenant)
    event = await customer.use(30)
    await customer.use(5)
    assert await customer.numbers() == (100, 35, 0, 65)
    async with tenant.tx() as tx:
        taken = Correction(
            name=EventName("test", "taken back"), corrects=EventName("test", event.event_id)
        )
        corrected = await corrected_by(tx, [taken])
        places = await usage_places(tx, {customer.subscription_id})
        await correct_usage(tx, [taken], corrected=corrected, places=places)
    assert await customer.numbers() == (100, 5, 0, 95)


async def test_a_renewal_starts_the_count_anew_and_what_comes_late_stays_in_its_window(
    tenant, clock
):
    customer = await a_customer(tenant)
    await customer.use(80)
    february = NOON + 31 * DAY
    # Before the renewal has come, the next window counts already.
    await customer.use(10, at=february + HOUR, now=february + HOUR)
    assert await customer.numbers(february + HOUR) == (100, 10, 0, 90)
    clock.move_to(february + 2 * HOUR)
    await renew_due_subscriptions(tenant.work())
    await customer.use(5, at=february - HOUR, now=february + 2 * HOUR)
    assert await customer.numbers(february + 2 * HOUR) == (100, 10, 0, 90)
    standing = await customer.standing(february + 2 * HOUR)
    assert standing.pool.window_end == NOON + 59 * DAY


async def test_the_subscriptions_of_an_account_share_a_pool_or_have_each_its_own(tenant):
    customer = await a_customer(tenant)
    async with tenant.tx() as tx:
        account = await account_by_id(tx, customer.account_id)
        second = (await a_subscription(tx, account, "calls")).subscription
    await customer.use(30)
    await customer.use(50, subscription_id=second.id)
    assert await customer.numbers() == (200, 80, 0, 120)
    async with tenant.tx() as tx:
        await update_feature(
            tx,
            UpdateFeature(feature_code="calls", changes={"combination": Combination.PARALLEL}),
        )
    assert await customer.numbers(subscription_id=second.id) == (100, 50, 0, 50)
    assert await customer.numbers(subscription_id=customer.subscription_id) == (100, 30, 0, 70)
    assert await customer.standing() is None


async def test_a_pool_is_closed_with_its_last_source_and_opened_again(tenant):
    customer = await a_customer(tenant)
    await customer.use(60)
    async with tenant.tx() as tx:
        await cancel_subscription(
            tx,
            CancelSubscription(subscription_id=customer.subscription_id, mode=CancellationMode.NOW),
        )
    assert await customer.standing() is None
    async with tenant.tx() as tx:
        account = await account_by_id(tx, customer.account_id)
        await a_subscription(tx, account, "calls")
    # The new subscription is another source, which gives its limit in full, in the same period.
    assert await customer.numbers() == (100, 60, 0, 40)


async def test_a_change_of_plan_is_followed(tenant):
    customer = await a_customer(tenant, 1000)
    async with tenant.tx() as tx:
        await a_plan(tx, "more", features=(calls(2000),))
    await customer.use(900)
    middle = NOON + 15.5 * DAY
    async with tenant.tx(middle) as tx:
        await change_plan(
            tx, ChangePlan(subscription_id=customer.subscription_id, plan_code="more")
        )
    # Half of the month is left: 1000 + 1000 / 2.
    assert await customer.numbers(middle) == (1500, 900, 0, 600)


@pytest.mark.parametrize(
    ("definition", "used"),
    [
        ({"aggregation": Aggregation.COUNT}, 4),
        ({"filters": {"region": ("eu",)}}, 40),
        ({"property": "size"}, 6),
        ({"aggregation": Aggregation.MAX}, 30),
        ({"aggregation": Aggregation.LATEST}, 15),
        ({"aggregation": Aggregation.UNIQUE_COUNT, "property": "region"}, 2),
        ({"property": "size", "rounding": WholeUnits.FLOOR}, 6),
        ({"carries_over": True}, 75),
    ],
)
async def test_every_meter_can_be_limited(tenant, definition, used):
    async with tenant.tx() as tx:
        await a_meter(tx, **definition)
    customer = await a_customer(tenant)
    for quantity, region, size in ((10, "eu", "1.5"), (20, "us", "2"), (30, "eu", "2.5")):
        await customer.use(quantity, properties={"region": region, "size": size})
        await customer.standing()
    await customer.use(15, properties={"region": "us"})
    assert await customer.numbers() == (100, used, 0, 100 - used)
    await forget(tenant)
    assert await customer.numbers() == (100, used, 0, 100 - used)


async def test_windows_that_begin_with_a_use_begin_with_one_that_counts(tenant):
    async with tenant.tx() as tx:
        await a_meter(tx, filters={"region": ("eu",)})
    reset = Reset(ResetKind.FIXED_WINDOW, window=HOUR)
    customer = await a_customer(tenant, 10, reset=reset)
    await customer.use(1, at=NOON, properties={"region": "us"})
    standing = await customer.standing(NOON + HOUR / 2)
    assert standing.pool.window_end is None
    start = NOON + HOUR / 2
    await customer.use(2, at=start, now=start, properties={"region": "eu"})
    assert await customer.numbers(start + HOUR / 2) == (10, 2, 0, 8)
    assert (await customer.standing(start + HOUR / 2)).pool.window_end == start + HOUR
    await customer.use(3, at=start + 90 * HOUR, now=start + 90 * HOUR, properties={"region": "eu"})
    assert await customer.numbers(start + 90.5 * HOUR) == (10, 3, 0, 7)


async def test_a_tenant_cannot_reach_the_pools_of_another(tenant, other_tenant):
    customer = await a_customer(tenant)
    standing = await customer.standing()
    async with other_tenant.tx() as tx:
        assert await settle_pools(tx, [standing.pool.id]) == {}
        assert await open_pools(tx, [customer.account_id]) == {}


async def test_many_pools_are_adjusted_by_as_many_queries_as_few(tenant):
    counts = []
    customers = [await a_customer(tenant, plan=f"calls_{number}") for number in range(6)]
    async with tenant.tx() as tx:
        pools = await open_pools(tx, [one.account_id for one in customers])
    for some in (customers[:1], customers):
        later = NOON + 40 * DAY
        async with tenant.tx(later) as tx:
            definitions = [pools[one.account_id][0].definition for one in some]
            moved = [_moved(one) for one in definitions]
            counting = Counting(tx)
            await adjust_pools(counting, moved, account_ids=[one.account_id for one in some])
            counts.append(counting.statements)
            await tx.execute("select 1")
        for one in some:
            assert (await one.standing(later)).used == 0
    assert counts[0] == counts[1]


def _moved(definition):
    start, end = definition.period
    return replace(definition, period=(end, end + (end - start)))


class Counting:
    """A transaction that counts the statements that are asked of it."""

    def __init__(self, tx):
        self._tx, self.statements = tx, 0

    def __getattr__(self, name):
        found = getattr(self._tx, name)
        if name not in {"fetch", "fetch_row", "fetch_value", "execute"}:
            return found

        async def counted(*values):
            self.statements += 1
            return await found(*values)

        return counted


async def test_no_usage_is_lost_or_doubled_beside_those_who_count_it(tenant):
    customer = await a_customer(tenant, 100_000)
    seen: list[Decimal] = []

    async def write(number):
        for quantity in range(1, 6):
            # Some of it becomes known late, and counts in the same window.
            at = NOON + timedelta(minutes=number)
            await customer.use(quantity, at=at if number % 2 else NOON, now=NOON + HOUR)

    async def read(number):
        for _ in range(4):
            if number % 2:
                await forget(tenant)
            standing = await customer.standing(NOON + HOUR)
            seen.append(standing.used)

    await asyncio.gather(*(write(number) for number in range(20)), *map(read, range(6)))
    expected = 20 * (1 + 2 + 3 + 4 + 5)
    assert await customer.numbers(NOON + HOUR) == (100_000, expected, 0, 100_000 - expected)
    assert max(seen) <= expected
