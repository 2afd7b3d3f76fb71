"""What happens when a plan gets new terms, another name, or is no longer sold?"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from billwright.features.catalog.model import FeatureKind, PlanFeature, PlanStatus
from billwright.features.catalog.operations.archive_plan import archive_plan
from billwright.features.catalog.operations.create_plan import NewComponent
from billwright.features.catalog.operations.create_plan_version import (
    CreatePlanVersion,
    create_plan_version,
)
from billwright.features.catalog.operations.update_plan import UpdatePlan, update_plan
from billwright.features.catalog.sql import reads
from billwright.features.catalog.sql.reads import (
    list_plan_versions,
    plan_by_code,
    plan_version_by_number,
)
from billwright.features.pricing.rules.models.flat import Flat
from billwright.kernel.calendar import Interval, IntervalUnit
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx
from tests.features.billing import TEAM_FEATURES, a_plan

YEAR = Interval(IntervalUnit.YEAR)


def new_terms(**changes: Any) -> CreatePlanVersion:
    """A yearly price in place of whatever was sold."""
    base = NewComponent(
        code="base", name="Base fee", prices=(("EUR", Flat(price=Decimal("290.00"))),)
    )
    values = {"plan_code": "team", "name": "Team yearly", "interval": YEAR, "components": (base,)}
    return CreatePlanVersion(**{**values, **changes})


async def facts(tx: Tx, event_type: str) -> list[dict[str, Any]]:
    """What was told by the events of a type, oldest first."""
    rows = await tx.fetch(
        "select data from event where tenant_id = $1 and type = $2 order by id",
        tx.tenant_id,
        event_type,
    )
    return [from_json(row["data"]) for row in rows]


async def test_a_version_replaces_all_terms_for_those_who_come_later(tenant):
    async with tenant.tx() as tx:
        plan = await a_plan(tx)
    async with tenant.tx() as tx:
        made = await create_plan_version(tx, new_terms(features=TEAM_FEATURES[:1]))
    reads._VERSIONS.clear()
    async with tenant.tx() as tx:
        now_sold = await plan_by_code(tx, "team")
        assert now_sold.version == made
        assert await list_plan_versions(tx, "team", before=None, limit=9) == [made, plan.version]
        assert await list_plan_versions(tx, "team", before=2, limit=9) == [plan.version]
        first = await plan_version_by_number(tx, plan_code="team", number=1)
        told = await facts(tx, "plan.version_created")
        audited = await tx.fetch_value(
            "select subject_id from audit_entry where action = 'plan.create_version'"
        )
    assert first == plan.version
    assert (made.number, made.interval, made.name) == (2, YEAR, "Team yearly")
    assert [feature.code for feature in made.features] == ["api_calls"]
    assert (now_sold.name, now_sold.id) == ("Team", plan.id)
    assert told == [{"code": "team", "name": "Team yearly", "version_number": 2}]
    assert audited == plan.id


async def test_versions_that_come_together_get_a_number_each(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)

    async def make() -> int:
        async with tenant.tx() as tx:
            return (await create_plan_version(tx, new_terms())).number

    assert sorted(await asyncio.gather(*(make() for _ in range(4)))) == [2, 3, 4, 5]


async def test_of_two_who_replace_the_same_version_one_is_told(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)

    async def make() -> int | str:
        try:
            async with tenant.tx() as tx:
                made = await create_plan_version(tx, new_terms(expected_version_number=1))
        except Refusal as refusal:
            return refusal.code
        return made.number

    assert sorted(await asyncio.gather(make(), make()), key=str) == [2, "plan_version_stale"]


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"plan_code": "solo"}, "plan_unknown", None),
        ({"plan_code": "old"}, "plan_archived", None),
        ({"expected_version_number": 2}, "plan_version_stale", None),
        ({"components": ()}, "plan_without_prices", "/components"),
        ({"tax_category": "luxury"}, "tax_category_unknown", "/tax_category"),
        (
            {"features": (PlanFeature("sso", "SSO", FeatureKind.STATIC, "yes"),)},
            "feature_kind_differs",
            "/features/0/kind",
        ),
    ],
)
async def test_wrong_terms_are_refused_and_leave_nothing(tenant, changes, code, pointer):
    async with tenant.tx() as tx:
        await a_plan(tx)
        await a_plan(tx, "old")
        await archive_plan(tx, "old")
    with pytest.raises(Refusal) as refused:
        async with tenant.tx() as tx:
            await create_plan_version(tx, new_terms(**changes))
    assert refused.value.code == code
    assert [problem.pointer for problem in refused.value.problems] == ([pointer] if pointer else [])
    async with tenant.tx() as tx:
        assert await tx.fetch_value("select count(*) from plan_version") == 2


async def test_a_number_that_was_not_given_names_no_version(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        for code, number in (("team", 2), ("solo", 1)):
            with pytest.raises(Refusal) as refused:
                await plan_version_by_number(tx, plan_code=code, number=number)
            assert refused.value.code == "plan_version_unknown"
        with pytest.raises(Refusal) as refused:
            await list_plan_versions(tx, "solo", before=None, limit=9)
        assert refused.value.code == "plan_unknown"


async def test_a_description_changes_where_it_is_said_to(tenant):
    async with tenant.tx() as tx:
        plan = await a_plan(tx, description="For teams", metadata={"tier": "1", "owner": "sales"})
    async with tenant.tx() as tx:
        named = await update_plan(tx, UpdatePlan(plan_code="team", name="Crew"))
        noted = await update_plan(tx, UpdatePlan(plan_code="team", metadata={"tier": "2"}))
        emptied = await update_plan(tx, UpdatePlan(plan_code="team", description=""))
        await update_plan(tx, UpdatePlan(plan_code="team", name="Crew"))  # as it is already
    async with tenant.tx() as tx:
        assert await plan_by_code(tx, "team") == emptied
        told = await facts(tx, "plan.updated")
        audited = "select count(*) from audit_entry where action = 'plan.update'"
        assert await tx.fetch_value(audited) == 4
    assert (named.name, named.description, named.metadata) == ("Crew", "For teams", plan.metadata)
    assert (noted.name, noted.metadata) == ("Crew", {"tier": "2"})
    assert (emptied.description, emptied.metadata) == ("", {"tier": "2"})
    assert emptied.version == plan.version
    assert told == [{"code": "team", "name": "Crew"}] * 3


async def test_a_plan_is_archived_once(tenant):
    async with tenant.tx() as tx:
        plan = await a_plan(tx)
    for _ in range(2):
        async with tenant.tx() as tx:
            archived = await archive_plan(tx, "team")
            assert (archived.status, archived.version) == (PlanStatus.ARCHIVED, plan.version)
    async with tenant.tx() as tx:
        assert await plan_by_code(tx, "team") == archived
        assert await facts(tx, "plan.archived") == [{"code": "team", "name": "Team"}]


async def test_another_tenants_plan_cannot_be_changed_or_seen(tenant, other_tenant):
    async with tenant.tx() as tx:
        plan = await a_plan(tx)
    for attempt in (
        lambda tx: create_plan_version(tx, new_terms()),
        lambda tx: update_plan(tx, UpdatePlan(plan_code="team", name="Mine")),
        lambda tx: archive_plan(tx, "team"),
        lambda tx: list_plan_versions(tx, "team", before=None, limit=9),
        lambda tx: plan_version_by_number(tx, plan_code="team", number=1),
    ):
        with pytest.raises(Refusal) as refused:
            async with other_tenant.tx() as tx:
                await attempt(tx)
        assert refused.value.code in {"plan_unknown", "plan_version_unknown"}
    async with tenant.tx() as tx:
        assert await plan_by_code(tx, "team") == plan
