"""What do missing payments leave of access, and does all of it come back?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.catalog.model import FeatureKind, PlanFeature, PlanVersion
from billwright.features.entitlements.model import (
    AccessLevel,
    DenialReason,
    Restriction,
    RestrictionEffect,
    Source,
)
from billwright.features.entitlements.operations.lift_restrictions import lift_restrictions
from billwright.features.entitlements.operations.rebuild_snapshots import rebuild_snapshots
from billwright.features.entitlements.operations.restrict_access import restrict_access
from billwright.features.entitlements.rules.decide import given_by
from billwright.kernel.calendar import Interval, IntervalUnit
from billwright.runtime.db.json import from_json
from tests.features.billing import TEAM_FEATURES, a_plan, a_subscription, an_account

BEGAN = datetime(2026, 1, 15, 12, tzinfo=UTC)
DEGRADE, READ_ONLY, REVOKE = RestrictionEffect
HERE, ELSEWHERE = uuid4(), uuid4()
SOURCE = Source(HERE, uuid4(), uuid4(), BEGAN, BEGAN + timedelta(days=31))
FEATURES = (*TEAM_FEATURES, PlanFeature("beta", "Beta", FeatureKind.BOOLEAN, False))
VERSION = PlanVersion(
    uuid4(), uuid4(), "p", 1, "P", Interval(IntervalUnit.MONTH), "standard", (), FEATURES, BEGAN
)


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


# What is left of an API quota, a region and single sign-on; the plan never gives beta.
LEFT = [
    ([], AccessLevel.FULL, {"api_calls", "region", "sso"}),
    ([restriction(DEGRADE, "sso", "beta")], AccessLevel.DEGRADED, {"api_calls", "region"}),
    (
        [restriction(DEGRADE, "sso"), restriction(DEGRADE, "region")],
        AccessLevel.DEGRADED,
        {"api_calls"},
    ),
    ([restriction(READ_ONLY)], AccessLevel.READ_ONLY, {"region", "sso"}),
    ([restriction(DEGRADE, "sso"), restriction(READ_ONLY)], AccessLevel.READ_ONLY, {"region"}),
    ([restriction(READ_ONLY), restriction(REVOKE)], AccessLevel.REVOKED, set()),
    ([restriction(REVOKE, subscription_id=ELSEWHERE)], AccessLevel.FULL, {"api_calls", "region", "sso"}),
    ([restriction(REVOKE, subscription_id=HERE)], AccessLevel.REVOKED, set()),
]  # fmt: skip


@pytest.mark.parametrize(("restrictions", "level", "left"), LEFT)
def test_what_is_left(restrictions, level, left):
    now = given_by(SOURCE, VERSION, restrictions=restrictions)
    assert (now.access, allowed(now)) == (level, left)
    for one in now.features:
        withheld = one.feature in {"api_calls", "region", "sso"} - left
        assert one.reason == (DenialReason.PAYMENT_OVERDUE if withheld else None)
    calls = next(one for one in now.features if one.feature == "api_calls")
    assert (calls.limit, calls.remaining) == ("1000", "1000")


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
    steps = [
        given_by(SOURCE, VERSION, restrictions=restrictions[:count])
        for count in range(len(restrictions) + 1)
    ]
    for before, after in pairwise(steps):
        assert allowed(after) <= allowed(before)
        assert levels.index(after.access) >= levels.index(before.access)
    assert steps[-1] == given_by(SOURCE, VERSION, restrictions=restrictions[::-1])


async def access_of(tenant, subscription_id: UUID):
    rows = await tenant.database.unscoped(
        "select access, features from read_entitlements($1::uuid[], $2::uuid[])",
        [tenant.id],
        [subscription_id],
    )
    decisions = from_json(rows[0]["features"])
    return rows[0]["access"], {one["feature"] for one in decisions if one["allowed"]}


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
    assert await access_of(tenant, first.id) == ("read_only", {"region"})
    async with (
        tenant.tx() as tx
    ):  # the next step of the same debt takes the place of the one before
        await restrict_access(tx, [restriction(REVOKE, cause=debt, **own)])
        second = (await a_subscription(tx, account)).subscription
    assert await access_of(tenant, second.id) == ("revoked", set())
    async with tenant.tx() as tx:
        await tx.execute("delete from entitlement_snapshot where true")
        await rebuild_snapshots(tx, [account.id])
    assert await access_of(tenant, second.id) == ("revoked", set())
    async with tenant.tx() as tx:
        await lift_restrictions(tx, debt)
    assert await access_of(tenant, first.id) == ("degraded", {"api_calls", "region"})
    assert (await access_of(tenant, second.id))[0] == "full"
    async with tenant.tx() as tx:
        await lift_restrictions(tx, other_debt)
        await lift_restrictions(tx, other_debt)
        decisions = from_json((await tx.fetch("select decisions from entitlement_snapshot"))[0][0])
    assert decisions[str(first.id)] == from_json(whole[0]["decisions"])[str(first.id)]


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
