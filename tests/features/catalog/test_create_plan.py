"""Which plans can be made, and which are refused?"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.catalog.model import (
    Alignment,
    ComponentKind,
    FeatureKind,
    PlanFeature,
    PlanTerms,
    Timing,
    TrialEndBehavior,
)
from billwright.features.catalog.operations.create_plan import NewComponent
from billwright.features.catalog.rules.currencies import check_currencies
from billwright.features.catalog.rules.definition import checked_feature
from billwright.features.catalog.sql import reads
from billwright.features.catalog.sql.reads import list_plans, plan_by_code, plan_versions
from billwright.features.pricing.rules.models.flat import Flat
from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.kernel.calendar import Interval, IntervalUnit
from billwright.kernel.refusal import Refusal
from tests.features.billing import TEAM_FEATURES, a_plan

FLAT = Flat(price=Decimal(10))
USAGE = ComponentKind.USAGE


def component(code: str, *currencies: str, **changes: Any) -> NewComponent:
    prices = tuple((each, FLAT) for each in currencies)
    return NewComponent(code=code, name=code, prices=prices, **changes)


async def test_a_plan_is_read_as_it_was_made(tenant):
    parts = (
        component("base", "EUR", "JPY", "KWD"),
        NewComponent(
            code="seats",
            name="Seats",
            unit_name="seat",
            prices=tuple(
                (each, PerUnit(price=Decimal("0.0007"))) for each in ("EUR", "JPY", "KWD")
            ),
        ),
    )
    interval = Interval(IntervalUnit.MONTH, 3)
    async with tenant.tx() as tx:
        made = await a_plan(tx, components=parts, interval=interval, metadata={"tier": "1"})
    reads._VERSIONS.pop((tenant.id, made.version.id), None)
    async with tenant.tx() as tx:
        assert await plan_by_code(tx, "team") == made
        assert await list_plans(tx, before=None, limit=10) == [made]
        event = await tx.fetch_row("select * from event where type = 'plan.created'")
        audit = await tx.fetch_value("select action from audit_entry order by id desc limit 1")
    assert made.version.currencies == {"EUR", "JPY", "KWD"}
    assert made.version.has_metered_features
    assert (event["subject_id"], audit) == (made.id, "plan.create")


async def test_everything_that_was_agreed_is_read_as_it_was_made(tenant):
    terms = PlanTerms(
        alignment=Alignment.CALENDAR,
        calendar_day=31,
        trial_days=14,
        trial_end_behavior=TrialEndBehavior.PAUSE,
        notice_days=30,
        commitment_days=365,
        ends_at_period_end=True,
    )
    minimums = (("JPY", 1200), ("EUR", 500))
    parts = (
        component("base", "EUR", "JPY", minimums=minimums[1:]),
        component("setup", "EUR", "JPY", kind=ComponentKind.ONE_TIME, optional=True),
        component(
            "calls",
            "EUR",
            "JPY",
            kind=USAGE,
            meter="api_calls",
            free_units=Decimal("0.000001"),
            minimums=minimums,
        ),
    )
    async with tenant.tx() as tx:
        made = await a_plan(tx, components=parts, terms=terms, tax_inclusive=True)
    reads._VERSIONS.pop((tenant.id, made.version.id), None)
    async with tenant.tx() as tx:
        read = (await plan_by_code(tx, "team")).version
    assert read == made.version
    assert (read.terms, read.tax_inclusive) == (terms, True)
    base, setup, calls = read.components
    assert base.minimums == {"EUR": 500}
    assert (setup.kind, setup.timing) == (ComponentKind.ONE_TIME, Timing.IN_ADVANCE)
    assert (setup.optional, base.optional) == (True, False)
    assert (calls.timing, calls.meter, calls.minimums) == (
        Timing.IN_ARREARS,
        "api_calls",
        {"EUR": 500, "JPY": 1200},
    )


async def test_two_plans_may_bring_the_same_new_feature_at_once(tenant):
    async def make(code: str) -> None:
        async with tenant.tx() as tx:
            await a_plan(tx, code)

    await asyncio.gather(*(make(f"plan-{number}") for number in range(4)))
    async with tenant.tx() as tx:
        assert await tx.fetch_value("select count(*) from feature") == 3
        assert await tx.fetch_value("select count(*) from plan_feature") == 4 * 3


async def test_features_are_shared_by_plans(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        other = await a_plan(tx, "solo", features=TEAM_FEATURES[:1])
        assert await tx.fetch_value("select count(*) from feature") == 3
    assert [feature.code for feature in other.version.features] == ["api_calls"]


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"tax_category": "luxury"}, "tax_category_unknown", "/tax_category"),
        (
            {"components": (component("a", "EUR"), component("a", "EUR"))},
            "component_code_repeated",
            "/components/1/code",
        ),
        (
            {"components": (component("a", "EUR", "USD"), component("b", "EUR"))},
            "price_currencies_differ",
            "/components/1/prices",
        ),
        (
            {"components": (component("a", "EUR", "EUR"),)},
            "price_currencies_differ",
            "/components/0/prices",
        ),
        ({"components": (component("a", "EURO"),)}, "currency_unknown", None),
        ({"components": ()}, "plan_without_prices", "/components"),
        ({"components": (component("a"),)}, "plan_without_prices", "/components"),
        (
            {"components": (component("a", "EUR"), component("b", "EUR", kind=USAGE))},
            "component_meter_missing",
            "/components/1/meter",
        ),
        (
            {"components": (component("a", "EUR", minimums=(("EUR", 0),)),)},
            "minimum_out_of_range",
            "/components/0/minimums/0",
        ),
        ({"terms": PlanTerms(trial_days=-1)}, "plan_term_out_of_range", "/terms/trial_days"),
        (
            {"features": (TEAM_FEATURES[0], TEAM_FEATURES[0])},
            "feature_code_repeated",
            "/features/1/code",
        ),
        (
            {"features": (PlanFeature("sso", "SSO", FeatureKind.STATIC, "yes"),)},
            "feature_kind_differs",
            "/features/0/kind",
        ),
        (
            {"features": (PlanFeature("new", "New", FeatureKind.METERED, "-1"),)},
            "feature_value_invalid",
            "/features/0/value",
        ),
        ({"code": "known"}, "plan_code_taken", None),
    ],
)
async def test_a_wrong_plan_is_refused_and_leaves_nothing(tenant, changes, code, pointer):
    async with tenant.tx() as tx:
        await a_plan(tx, "known")
    with pytest.raises(Refusal) as refused:
        async with tenant.tx() as tx:
            await a_plan(tx, **changes)
    assert refused.value.code == code
    assert [problem.pointer for problem in refused.value.problems] == ([pointer] if pointer else [])
    async with tenant.tx() as tx:
        assert [plan.code for plan in await list_plans(tx, before=None, limit=9)] == ["known"]
        assert await tx.fetch_value("select count(*) from plan_version") == 1
        assert await tx.fetch_value("select count(*) from feature") == 3


async def test_another_tenants_plan_is_invisible_and_its_code_is_free(tenant, other_tenant):
    async with tenant.tx() as tx:
        plan = await a_plan(tx)
        await plan_by_code(tx, "team")
    async with other_tenant.tx() as tx:
        assert await list_plans(tx, before=None, limit=9) == []
        with pytest.raises(Refusal) as refused:
            await plan_by_code(tx, "team")
        assert refused.value.code == "plan_unknown"
        with pytest.raises(LookupError):  # also when this process has read it for its owner
            await plan_versions(tx, [plan.version.id])
        assert (await a_plan(tx)).id != plan.id


@pytest.mark.parametrize("table", ["plan_version", "plan_component", "plan_price", "plan_feature"])
async def test_what_was_sold_cannot_be_changed(tenant, table):
    async with tenant.tx() as tx:
        await a_plan(tx)
    for change in (f"update {table} set tenant_id = tenant_id", f"delete from {table}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with tenant.tx() as tx:
                await tx.execute(change)


async def test_plans_are_listed_newest_first_in_pages(tenant):
    async with tenant.tx() as tx:
        plans = [await a_plan(tx, f"plan-{number}") for number in range(5)]
        first = await list_plans(tx, before=None, limit=3)
        rest = await list_plans(tx, before=first[-1].id, limit=3)
    assert [plan.code for plan in first + rest] == [plan.code for plan in reversed(plans)]


@given(st.sets(st.sampled_from(["EUR", "USD", "JPY", "KWD"]), min_size=1), st.integers(1, 5))
def test_components_with_the_same_currencies_are_accepted_in_any_order(currencies, count):
    ordered = sorted(currencies)
    check_currencies([ordered if index % 2 else ordered[::-1] for index in range(count)])


@given(
    st.lists(st.lists(st.sampled_from(["EUR", "USD", "JPY"]), max_size=3), min_size=1, max_size=3)
)
def test_components_are_accepted_if_and_only_if_each_has_each_currency_once(components):
    sold = {code for prices in components for code in prices}
    complete = bool(sold) and all(sorted(prices) == sorted(sold) for prices in components)
    try:
        check_currencies(components)
    except Refusal as refusal:
        assert refusal.code == ("price_currencies_differ" if sold else "plan_without_prices")
        assert not complete
    else:
        assert complete


FITTING = {
    FeatureKind.BOOLEAN: [True, False],
    FeatureKind.STATIC: ["eu", "", 0, 12, True],
    FeatureKind.METERED: [None, "0", "1000", "0.5", "1e3"],
}
UNFIT = {
    FeatureKind.BOOLEAN: [None, 1, 0, "true"],
    FeatureKind.STATIC: [None, 1.5, [], {}],
    FeatureKind.METERED: [True, 1000, "-1", "-0.1", "NaN", "Infinity", "many", ""],
}


@pytest.mark.parametrize("kind", FeatureKind)
def test_a_value_must_fit_the_kind_of_its_feature(kind):
    for value in FITTING[kind]:
        feature = PlanFeature("f", "F", kind, value)
        assert checked_feature(feature, pointer="/features/0") is feature
    for value in UNFIT[kind]:
        with pytest.raises(Refusal) as refused:
            checked_feature(PlanFeature("f", "F", kind, value), pointer="/features/0")
        assert refused.value.code == "feature_value_invalid"
        assert refused.value.problems[0].pointer == "/features/0/value"
