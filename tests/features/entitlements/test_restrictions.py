"""What do missing payments leave of access, and does all of it come back?"""

from __future__ import annotations

from itertools import pairwise
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.catalog.model import FeatureKind, FeatureTerms, PlanFeature
from billwright.features.entitlements.model import (
    AccessLevel,
    DenialReason,
    Restriction,
    RestrictionEffect,
)
from billwright.features.entitlements.operations.fresh_snapshot import fresh_snapshot
from billwright.features.entitlements.operations.lift_restrictions import lift_restrictions
from billwright.features.entitlements.operations.rebuild_snapshots import rebuild_snapshots
from billwright.features.entitlements.operations.restrict_access import restrict_access
from billwright.features.entitlements.rules.decide import decide
from billwright.runtime.db.json import from_json
from tests.features.billing import TEAM_FEATURES, a_plan, a_subscription, an_account
from tests.features.entitlements.giving import a_source, a_version, holding

DEGRADE, READ_ONLY, REVOKE = RestrictionEffect
FEATURES = (
    *TEAM_FEATURES,
    PlanFeature("beta", "Beta", FeatureKind.BOOLEAN, False),
    PlanFeature("seats", "Seats", FeatureKind.METERED, "5", FeatureTerms(kept_when_unpaid=True)),
)
VERSION = a_version(*FEATURES)
SOURCE = a_source(VERSION)
HERE, ELSEWHERE = SOURCE.subscription_id, uuid4()


def given_with(restrictions):
    """What the subscription gives under these restrictions."""
    decided, _ = decide(holding((SOURCE, VERSION), restrictions=restrictions))
    return decided.subscriptions[HERE]


def restriction(effect, *features, cause=None, account_id=None, subscription_id=None):
    return Restriction(
        cause_id=cause or uuid4(),
        account_id=account_id or SOURCE.account_id,
        subscription_id=subscription_id,
        effect=effect,
        features=features,
    )


def allowed(given_now):
    return {one.feature for one in given_now.features if one.allowed}


ALL = {"api_calls", "region", "sso", "seats"}
# What is left of an API quota, a region, single sign-on, and seats, which are kept while anything is;
# the plan never gives beta.
LEFT = [
    ([], AccessLevel.FULL, ALL),
    ([restriction(DEGRADE, "sso", "beta")], AccessLevel.DEGRADED, ALL - {"sso"}),
    (
        [restriction(DEGRADE, "sso", "seats"), restriction(DEGRADE, "region")],
        AccessLevel.DEGRADED,
        {"api_calls", "seats"},
    ),
    ([restriction(READ_ONLY)], AccessLevel.READ_ONLY, ALL - {"api_calls"}),
    ([restriction(DEGRADE, "sso"), restriction(READ_ONLY)], AccessLevel.READ_ONLY, {"region", "seats"}),
    ([restriction(READ_ONLY), restriction(REVOKE)], AccessLevel.REVOKED, set()),
    ([restriction(REVOKE, subscription_id=ELSEWHERE)], AccessLevel.FULL, ALL),
    ([restriction(REVOKE, subscription_id=HERE)], AccessLevel.REVOKED, set()),
]  # fmt: skip


@pytest.mark.parametrize(("restrictions", "level", "left"), LEFT)
def test_what_is_left(restrictions, level, left):
    now = given_with(restrictions)
    assert (now.access, allowed(now)) == (level, left)
    for one in now.features:
        expected = DenialReason.PAYMENT_OVERDUE if one.feature in ALL - left else None
        assert one.reason == (DenialReason.NOT_ENTITLED if one.feature == "beta" else expected)
    region = next(one for one in now.features if one.feature == "region")
    assert region.value == "eu"  # values stay to be seen


@given(
    st.lists(
        st.builds(
            lambda effect, features, where: restriction(
                effect, *(features if effect is DEGRADE else ()), subscription_id=where
            ),
            st.sampled_from(RestrictionEffect),
            st.sets(st.sampled_from([one.code for one in FEATURES])),
            st.sampled_from((None, HERE, ELSEWHERE)),
        ),
        max_size=4,
    )
)
def test_one_more_restriction_never_gives_anything_back(restrictions):
    levels = list(AccessLevel)
    steps = [given_with(restrictions[:count]) for count in range(len(restrictions) + 1)]
    for before, after in pairwise(steps):
        assert allowed(after) <= allowed(before)
        assert levels.index(after.access) >= levels.index(before.access)
    assert steps[-1] == given_with(restrictions[::-1])


async def access_of(tenant, subscription):
    async with tenant.tx() as tx:
        decisions = (await fresh_snapshot(tx, subscription.account_id)).decisions
    now = from_json(decisions)["subscriptions"][str(subscription.id)]
    return now["access"], {one["feature"] for one in now["features"] if one["allowed"]}


async def snapshot(tenant):
    async with tenant.tx() as tx:
        return await tx.fetch("select account_id, decisions from entitlement_snapshot")


async def test_it_holds_for_what_comes_later_until_the_last_cause_is_gone(tenant):
    debt, other_debt = uuid4(), uuid4()
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx)
        first = (await a_subscription(tx, account)).subscription
    whole = await snapshot(tenant)
    own = {"account_id": account.id}
    async with tenant.tx() as tx:
        await restrict_access(tx, [restriction(READ_ONLY, cause=debt, **own)])
        await restrict_access(
            tx, [restriction(DEGRADE, "sso", cause=other_debt, subscription_id=first.id, **own)]
        )
    assert await access_of(tenant, first) == ("read_only", {"region"})
    async with (
        tenant.tx() as tx
    ):  # the next step of the same debt takes the place of the one before
        await restrict_access(tx, [restriction(REVOKE, cause=debt, **own)])
        second = (await a_subscription(tx, account)).subscription
    assert await access_of(tenant, second) == ("revoked", set())
    async with tenant.tx() as tx:
        await tx.execute("delete from entitlement_snapshot where true")
        await rebuild_snapshots(tx, [account.id])
    assert await access_of(tenant, second) == ("revoked", set())
    async with tenant.tx() as tx:
        await lift_restrictions(tx, debt)
    assert await access_of(tenant, first) == ("degraded", {"api_calls", "region"})
    assert (await access_of(tenant, second))[0] == "full"
    async with tenant.tx() as tx:
        await lift_restrictions(tx, other_debt)
        await lift_restrictions(tx, other_debt)
        decisions = from_json((await tx.fetch("select decisions from entitlement_snapshot"))[0][0])
    before = from_json(whole[0]["decisions"])["subscriptions"]
    assert decisions["subscriptions"][str(first.id)] == before[str(first.id)]


async def test_another_tenants_access_is_neither_restricted_nor_restored(tenant, other_tenant):
    debt = uuid4()
    async with tenant.tx() as tx:
        await a_plan(tx)
        subscription = (await a_subscription(tx, await an_account(tx))).subscription
        await restrict_access(
            tx, [restriction(READ_ONLY, cause=debt, account_id=subscription.account_id)]
        )
    before = await snapshot(tenant)
    async with other_tenant.tx() as tx:
        await lift_restrictions(tx, debt)
    with pytest.raises(Exception, match="foreign key"):
        async with other_tenant.tx() as tx:
            await restrict_access(tx, [restriction(REVOKE, account_id=subscription.account_id)])
    assert await snapshot(tenant) == before
