"""Is a snapshot only a cache: does computing it again give the same answers?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from billwright.features.entitlements.model import Source
from billwright.features.entitlements.operations.fresh_snapshot import fresh_snapshot
from billwright.features.entitlements.operations.grant_plans import grant_plans, move_periods
from billwright.features.entitlements.operations.rebuild_snapshots import rebuild_snapshots
from billwright.features.entitlements.operations.settle_pools import current_pools
from billwright.features.entitlements.operations.withdraw_plans import withdraw_plans
from billwright.features.entitlements.rules.pool import PoolKey
from billwright.features.entitlements.sql.reads import sources_of
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.model import CancellationMode
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx
from tests.features.billing import TEAM_FEATURES, a_plan, a_subscription, an_account

BEGAN = datetime(2026, 1, 15, 12, tzinfo=UTC)


async def answers(tenant) -> dict:
    """What every account's snapshot says."""
    async with tenant.tx() as tx:
        rows = await tx.fetch("select account_id, decisions from entitlement_snapshot")
    return {row["account_id"]: from_json(row["decisions"]) for row in rows}


async def asked(tenant, subscription):
    """What a subscription gives, and how often that was computed; none when it gives nothing."""
    async with tenant.tx() as tx:
        snapshot = await fresh_snapshot(tx, subscription.account_id)
    given = from_json(snapshot.decisions)["subscriptions"].get(str(subscription.id))
    return given and (snapshot.version, given["features"])


async def test_a_subscription_gives_what_its_plan_contains(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        subscription = (await a_subscription(tx, await an_account(tx))).subscription
    version, features = await asked(tenant, subscription)
    assert version == 1
    assert {each["feature"]: each["allowed"] for each in features} == {
        "api_calls": True,
        "region": True,
        "sso": True,
    }
    (calls, region, _) = features
    assert calls["pool"] == {"subscription_id": None}
    assert region["value"] == "eu"


async def test_limits_count_anew_in_each_period_and_end_with_the_subscription(tenant, clock):
    """Only pools know of periods, so that the decisions stay as they are."""
    async with tenant.tx() as tx:
        await a_plan(tx)
        subscription = (await a_subscription(tx, await an_account(tx))).subscription
    before = await asked(tenant, subscription)
    clock.move_to(datetime(2026, 4, 1, tzinfo=UTC))
    await renew_due_subscriptions(tenant.work())
    assert await asked(tenant, subscription) == before
    async with tenant.tx() as tx:
        (source,) = (await sources_of(tx, [subscription.account_id]))[subscription.account_id]
        key = PoolKey(subscription.account_id, "api_calls")
        standing = (await current_pools(tx, [key]))[key]
    # 15 April, 13:00 in Berlin, after clocks have gone forward
    ends_at = datetime(2026, 4, 15, 11, tzinfo=UTC)
    assert (source.period_end, standing.pool.window_end) == (ends_at, ends_at)
    assert standing.limit == 1000
    command = CancelSubscription(subscription_id=subscription.id, mode=CancellationMode.NOW)
    async with tenant.tx() as tx:
        await cancel_subscription(tx, command)
    assert await asked(tenant, subscription) is None
    assert await answers(tenant) == {subscription.account_id: {"subscriptions": {}, "features": {}}}


async def test_each_subscription_of_an_account_answers_for_itself(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        await a_plan(tx, "solo", features=TEAM_FEATURES[1:])
        account = await an_account(tx)
        team = (await a_subscription(tx, account)).subscription
        solo = (await a_subscription(tx, account, "solo")).subscription
        await a_subscription(tx, await an_account(tx))
    assert len((await asked(tenant, team))[1]) == 3
    assert len((await asked(tenant, solo))[1]) == 2
    async with tenant.tx() as tx:
        await withdraw_plans(tx, {team.id: account.id})
    assert await asked(tenant, team) is None
    assert (await asked(tenant, solo))[0] == 3


@pytest.mark.parametrize("loss", ["delete from entitlement_snapshot where true", "select 1"])
async def test_rebuilding_gives_the_same_answers_whatever_was_lost(tenant, clock, loss):
    """A life with renewals and ends: afterwards every snapshot is the one that its sources make."""
    async with tenant.tx() as tx:
        await a_plan(tx)
        await a_plan(tx, "solo", features=TEAM_FEATURES[1:])
        accounts = [await an_account(tx) for _ in range(6)]
        started = [
            (await a_subscription(tx, account, code)).subscription
            for account in accounts
            for code in ("team", "solo")
        ]
    clock.move_to(BEGAN + timedelta(days=40))
    await renew_due_subscriptions(tenant.work())
    for subscription in started[::5]:
        command = CancelSubscription(subscription_id=subscription.id, mode=CancellationMode.NOW)
        async with tenant.tx() as tx:
            await cancel_subscription(tx, command)
    before = await answers(tenant)
    assert len(before) == len(accounts)
    async with tenant.tx() as tx:
        await tx.execute(loss)
        await rebuild_snapshots(tx, [account.id for account in accounts])
    assert await answers(tenant) == before


async def test_another_tenants_access_cannot_be_changed(tenant, other_tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        subscription = (await a_subscription(tx, await an_account(tx))).subscription
    before = await answers(tenant)
    source = Source(
        subscription.id,
        subscription.account_id,
        subscription.plan_version_id,
        BEGAN,
        BEGAN + timedelta(days=1),
    )
    for change in (
        lambda tx: withdraw_plans(tx, {subscription.id: subscription.account_id}),
        lambda tx: grant_plans(tx, [source]),
    ):
        with pytest.raises(Exception, match=r"foreign key|no account"):
            async with other_tenant.tx() as tx:
                assert await sources_of(tx, [subscription.account_id]) == {}
                await change(tx)
    assert await answers(tenant) == before
    assert await asked(tenant, subscription) is not None


async def test_what_was_withdrawn_is_given_anew_in_a_later_period(tenant, clock):
    async with tenant.tx() as tx:
        await a_plan(tx)
        subscription = (await a_subscription(tx, await an_account(tx))).subscription
        (source,) = (await sources_of(tx, [subscription.account_id]))[subscription.account_id]
    clock.move_to(BEGAN + timedelta(days=5))
    async with tenant.tx() as tx:
        await withdraw_plans(tx, {subscription.id: subscription.account_id})
    assert await asked(tenant, subscription) is None
    now = BEGAN + timedelta(days=40)
    clock.move_to(now)
    later = replace(source, period_start=now, period_end=now + timedelta(days=28))
    async with tenant.tx() as tx:
        await grant_plans(tx, [later])
        key = PoolKey(subscription.account_id, "api_calls")
        standing = (await current_pools(tx, [key]))[key]
    assert (standing.limit, standing.used, standing.remaining) == (1000, 0, 1000)
    assert (await asked(tenant, subscription))[1][0]["pool"] == {"subscription_id": None}


async def test_many_snapshots_take_as_many_queries_as_few(tenant, clock, monkeypatch):
    """As renewals do, which come in batches: 2 accounts as 12, with the counts of all."""
    async with tenant.tx() as tx:
        await a_plan(tx)
        accounts = [await an_account(tx) for _ in range(12)]
        for account in accounts:
            await a_subscription(tx, account)
    asked_of: list[str] = []

    def counted(original):
        async def count(self, sql, *values):
            asked_of.append(sql)
            return await original(self, sql, *values)

        return count

    for name in ("fetch", "fetch_row", "fetch_value", "execute"):
        monkeypatch.setattr(Tx, name, counted(getattr(Tx, name)))

    async def queries(some) -> int:
        ids = [account.id for account in some]
        now = clock.now()
        async with tenant.tx() as tx:
            found = await sources_of(tx, ids)
            moved = [
                replace(source, period_start=now, period_end=now + timedelta(days=30))
                for parts in found.values()
                for source in parts
            ]
            asked_of.clear()
            await rebuild_snapshots(tx, ids)
            await move_periods(tx, moved)
            return len(asked_of)

    assert await queries(accounts[:2]) == await queries(accounts[2:]) < 40
