"""What does an override change, from when on, and until when?"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from billwright.features.accounts.operations.create_test_clock import create_test_clock
from billwright.features.accounts.operations.step_test_clock import step_test_clock
from billwright.features.catalog.model import FeatureDefinition, FeatureKind, PlanFeature
from billwright.features.catalog.operations.create_feature import CreateFeature, create_feature
from billwright.features.catalog.operations.update_feature import set_feature_default
from billwright.features.entitlements.operations.create_override import (
    CreateOverride,
    create_override,
)
from billwright.features.entitlements.operations.fresh_snapshot import fresh_snapshot
from billwright.features.entitlements.operations.remove_override import remove_override
from billwright.features.entitlements.sql.reads_overrides import list_overrides, override_by_id
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.json import from_json
from tests.conftest import NOON, Tenant
from tests.features.billing import a_plan, a_subscription, an_account

DAY = timedelta(days=1)
REGION = (PlanFeature("region", "Region", FeatureKind.STATIC, "eu"),)


async def override(tenant: Tenant, account_id: Any, value: Any, **changes: Any):
    values = {
        "account_id": account_id,
        "feature_code": "region",
        "definition": FeatureDefinition(value=value),
        "reason": "agreed",
    }
    async with tenant.tx() as tx:
        return await create_override(tx, CreateOverride(**{**values, **changes}))


async def region_of(tenant: Tenant, account_id: Any) -> str | None:
    """What the account has now, as whoever asks is told."""
    async with tenant.tx() as tx:
        snapshot = await fresh_snapshot(tx, account_id)
    features = from_json(snapshot.decisions)["features"]
    return features["region"]["value"] if "region" in features else None


@pytest.fixture
async def account(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx, features=REGION)
        account = await an_account(tx)
        await a_subscription(tx, account)
    return account


async def test_it_holds_from_its_beginning_up_to_its_end(tenant, clock, account):
    planned = {"effective_at": NOON + DAY, "expires_at": NOON + 3 * DAY}
    made = await override(tenant, account.id, "us", **planned)
    seen = []
    for days in (0, 1, 2, 3):
        clock.move_to(NOON + days * DAY)
        seen.append(await region_of(tenant, account.id))
    assert seen == ["eu", "us", "us", "eu"]
    async with tenant.tx() as tx:
        assert await override_by_id(tx, made.id) == made
        kinds = await tx.fetch("select type from event where subject_id = $1", made.id)
    assert [row["type"] for row in kinds] == ["entitlement_override.created"]


async def test_another_takes_its_place_and_it_does_not_come_back(tenant, clock, account):
    first = await override(tenant, account.id, "us")
    clock.move_to(NOON + DAY)
    second = await override(tenant, account.id, "ch", expires_at=NOON + 2 * DAY)
    assert await region_of(tenant, account.id) == "ch"
    clock.move_to(NOON + 2 * DAY)
    assert await region_of(tenant, account.id) == "eu"
    async with tenant.tx() as tx:
        ended = await override_by_id(tx, first.id)
        told = await tx.fetch_value(
            "select data from event where type = 'entitlement_override.superseded'"
        )
    assert (ended.ends_at, ended.superseded_by, ended.expires_at) == (NOON + DAY, second.id, None)
    assert from_json(told)["superseded_by"] == str(second.id)


async def test_it_is_removed_once_also_before_it_begins(tenant, clock, account):
    now = await override(tenant, account.id, "us")
    clock.move_to(NOON + DAY)
    async with tenant.tx() as tx:
        removed = await remove_override(tx, now.id)
    assert (removed.ends_at, removed.removed_at) == (NOON + DAY, NOON + DAY)
    assert await region_of(tenant, account.id) == "eu"
    clock.move_to(NOON + 2 * DAY)
    async with tenant.tx() as tx:
        assert await remove_override(tx, now.id) == removed
    planned = await override(tenant, account.id, "ch", effective_at=NOON + 5 * DAY)
    async with tenant.tx() as tx:
        removed = await remove_override(tx, planned.id)
    assert removed.ends_at == planned.effective_at
    clock.move_to(NOON + 6 * DAY)
    assert await region_of(tenant, account.id) == "eu"


async def test_an_account_on_a_test_clock_has_it_in_its_own_time(tenant):
    async with tenant.tx() as tx:
        clock = await create_test_clock(tx, name="a year", now=NOON + 100 * DAY)
        await create_feature(
            tx, CreateFeature(code="region", name="Region", kind=FeatureKind.STATIC)
        )
    async with tenant.tx() as tx:
        account = await an_account(tx, test_clock_id=clock.id)
    with pytest.raises(Refusal) as refused:
        await override(tenant, account.id, "us", effective_at=NOON + DAY)
    assert refused.value.code == "entitlement_override_begins_in_past"
    await override(tenant, account.id, "us", expires_at=NOON + 101 * DAY)
    assert await region_of(tenant, account.id) == "us"
    async with tenant.tx() as tx:
        await step_test_clock(tx, clock.id, now=NOON + 101 * DAY)
    assert await region_of(tenant, account.id) is None


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"feature_code": "none"}, "feature_unknown_here", "/feature"),
    ({"subscription_id": uuid4()}, "subscription_not_of_account", "/subscription_id"),
    ({"definition": FeatureDefinition(value=None)}, "feature_value_invalid", "/definition/value"),
    ({"effective_at": NOON - DAY}, "entitlement_override_begins_in_past", "/effective_at"),
    ({"expires_at": NOON}, "entitlement_override_ends_before_begin", "/expires_at"),
]


@pytest.mark.parametrize(("changes", "code", "pointer"), WRONG)
async def test_what_cannot_be_is_refused(tenant, account, changes, code, pointer):
    with pytest.raises(Refusal) as refused:
        await override(tenant, account.id, "us", **changes)
    assert refused.value.code == code
    assert [problem.pointer for problem in refused.value.problems] == [pointer]


async def test_a_default_is_everybodys_at_once(tenant, account):
    """Also of accounts that nobody has asked about, and of those that are asked about all the time."""
    async with tenant.tx() as tx:
        other = await an_account(tx)
    assert await region_of(tenant, other.id) is None
    async with tenant.tx() as tx:
        await set_feature_default(tx, "region", default=FeatureDefinition(value="none"))
        new = await an_account(tx)
    assert [await region_of(tenant, one.id) for one in (account, other, new)] == [
        "eu",
        "none",
        "none",
    ]
    async with tenant.tx() as tx:
        await set_feature_default(tx, "region", default=None)
    assert await region_of(tenant, other.id) is None


async def test_many_who_ask_for_what_is_out_of_date_make_it_once(tenant, account):
    async with tenant.tx() as tx:
        before = (await fresh_snapshot(tx, account.id)).version
        await set_feature_default(tx, "region", default=FeatureDefinition(value="none"))

    async def ask() -> int:
        async with tenant.tx() as tx:
            return (await fresh_snapshot(tx, account.id)).version

    assert set(await asyncio.gather(*(ask() for _ in range(8)))) == {before + 1}


async def test_they_are_listed_newest_first_by_what_is_asked_for(tenant, clock, account):
    async with tenant.tx() as tx:
        subscription = (await a_subscription(tx, account)).subscription
    first = await override(tenant, account.id, "us")
    of_one = await override(tenant, account.id, "ch", subscription_id=subscription.id)
    clock.move_to(NOON + DAY)
    second = await override(tenant, account.id, "jp")

    async def listed(**filters: Any) -> list[Any]:
        async with tenant.tx() as tx:
            found = await list_overrides(tx, account.id, before=None, limit=9, **filters)
        return [one.id for one in found]

    assert await listed() == [second.id, of_one.id, first.id]
    assert await listed(subscription_id=subscription.id) == [of_one.id]
    assert await listed(in_force_at=NOON + DAY) == [second.id, of_one.id]
    assert await listed(in_force_at=NOON) == [of_one.id, first.id]
    assert await listed(feature="other") == []


async def test_another_tenants_overrides_are_invisible(tenant, other_tenant, account):
    made = await override(tenant, account.id, "us")
    for attempt in (
        lambda tx: override_by_id(tx, made.id),
        lambda tx: remove_override(tx, made.id),
        lambda tx: fresh_snapshot(tx, account.id),
    ):
        with pytest.raises(Refusal) as refused:
            async with other_tenant.tx() as tx:
                await attempt(tx)
        assert refused.value.code in {"entitlement_override_unknown", "account_unknown"}
    async with other_tenant.tx() as tx:
        assert await list_overrides(tx, account.id, before=None, limit=9) == []
    with pytest.raises(Refusal):
        await override(other_tenant, account.id, "jp")
    assert await region_of(tenant, account.id) == "us"
