"""Is a snapshot only a cache: does computing it again give the same answers?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.catalog.model import FeatureKind, PlanFeature, PlanVersion
from billwright.features.entitlements.model import Source
from billwright.features.entitlements.operations.grant_plans import grant_plans
from billwright.features.entitlements.operations.rebuild_snapshots import rebuild_snapshots
from billwright.features.entitlements.operations.withdraw_plans import withdraw_plans
from billwright.features.entitlements.rules.decide import decisions_of
from billwright.features.entitlements.sql.reads import sources_of
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.model import CancellationMode
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.kernel.calendar import Interval, IntervalUnit
from billwright.runtime.db.json import from_json
from tests.features.billing import TEAM_FEATURES, a_plan, a_subscription, an_account

BEGAN = datetime(2026, 1, 15, 12, tzinfo=UTC)


async def answers(tenant) -> dict:
    """What every account's snapshot says."""
    async with tenant.tx() as tx:
        rows = await tx.fetch("select account_id, decisions from entitlement_snapshot")
    return {row["account_id"]: from_json(row["decisions"]) for row in rows}


async def asked(tenant, subscription_id):
    rows = await tenant.database.unscoped(
        "select version, features from read_entitlements($1::uuid[], $2::uuid[])",
        [tenant.id],
        [subscription_id],
    )
    return (rows[0]["version"], from_json(rows[0]["features"])) if rows else None


async def test_a_subscription_gives_what_its_plan_contains(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        subscription = (await a_subscription(tx, await an_account(tx))).subscription
    version, features = await asked(tenant, subscription.id)
    assert version == 1
    assert {each["feature"]: each["allowed"] for each in features} == {
        "api_calls": True,
        "region": True,
        "sso": True,
    }
    (calls, region, _) = features
    assert (calls["limit"], calls["used"], calls["remaining"]) == ("1000", "0", "1000")
    assert datetime.fromisoformat(calls["resets_at"]) == subscription.period.end
    assert region["value"] == "eu"


async def test_limits_count_anew_in_each_period_and_end_with_the_subscription(tenant, clock):
    async with tenant.tx() as tx:
        await a_plan(tx)
        subscription = (await a_subscription(tx, await an_account(tx))).subscription
    clock.move_to(datetime(2026, 4, 1, tzinfo=UTC))
    await renew_due_subscriptions(tenant.work())
    version, features = await asked(tenant, subscription.id)
    assert version == 3
    # 15 April, 13:00 in Berlin, after clocks have gone forward
    assert features[0]["resets_at"] == "2026-04-15T11:00:00Z"
    command = CancelSubscription(subscription_id=subscription.id, mode=CancellationMode.NOW)
    async with tenant.tx() as tx:
        await cancel_subscription(tx, command)
    assert await asked(tenant, subscription.id) is None
    assert await answers(tenant) == {subscription.account_id: {}}


async def test_each_subscription_of_an_account_answers_for_itself(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        await a_plan(tx, "solo", features=TEAM_FEATURES[1:])
        account = await an_account(tx)
        team = (await a_subscription(tx, account)).subscription
        solo = (await a_subscription(tx, account, "solo")).subscription
        await a_subscription(tx, await an_account(tx))
    assert len((await asked(tenant, team.id))[1]) == 3
    assert len((await asked(tenant, solo.id))[1]) == 2
    async with tenant.tx() as tx:
        await withdraw_plans(tx, {team.id: account.id})
    assert await asked(tenant, team.id) is None
    assert (await asked(tenant, solo.id))[0] == 3


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
        with pytest.raises(Exception, match="foreign key"):
            async with other_tenant.tx() as tx:
                assert await sources_of(tx, [subscription.account_id]) == {}
                await change(tx)
    assert await answers(tenant) == before
    assert await asked(tenant, subscription.id) is not None


limits = st.none() | st.decimals(0, 10**9, places=3).map(str)
features = st.one_of(
    st.builds(PlanFeature, st.just("f"), st.just("F"), st.just(FeatureKind.BOOLEAN), st.booleans()),
    st.builds(
        PlanFeature,
        st.just("f"),
        st.just("F"),
        st.just(FeatureKind.STATIC),
        st.booleans() | st.integers() | st.text(),
    ),
    st.builds(PlanFeature, st.just("f"), st.just("F"), st.just(FeatureKind.METERED), limits),
)


@given(features)
def test_a_decision_allows_what_the_feature_gives(feature):
    source = Source(uuid4(), uuid4(), uuid4(), BEGAN, BEGAN + timedelta(days=31))
    version = PlanVersion(
        uuid4(), uuid4(), "p", 1, "P", Interval(IntervalUnit.MONTH), "standard", (), (feature,), BEGAN
    )  # fmt: skip
    (decision,) = decisions_of(source, version)
    match feature.kind:
        case FeatureKind.BOOLEAN:
            assert decision.allowed is feature.value
        case FeatureKind.STATIC:
            assert decision.allowed
            assert decision.value == feature.value
        case FeatureKind.METERED:
            assert decision.allowed == (feature.value is None or Decimal(feature.value) > 0)
            assert decision.remaining == decision.limit == feature.value
            assert decision.resets_at == source.period_end
