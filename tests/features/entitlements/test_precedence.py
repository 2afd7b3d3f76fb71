"""What counts of all that gives a feature?"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from billwright.features.catalog.model import Combination
from billwright.features.entitlements.model import (
    DenialReason,
    Granted,
    Restriction,
    RestrictionEffect,
    SourceKind,
)
from billwright.features.entitlements.rules.decide import decide
from billwright.features.entitlements.rules.explain import explain
from tests.features.entitlements.giving import (
    ACCOUNT,
    BEGAN,
    BOOLEAN,
    METERED,
    STATIC,
    a_feature,
    a_source,
    a_version,
    an_override,
    defined,
    given,
    holding,
)

PARALLEL = Combination.PARALLEL


def answer(code, **holdings):
    held = holdings.pop("held", ())
    return decide(holding(*held, **holdings))[0].features[code]


def allowances(definitions):
    """What each pool is filled by: its subscription, then each source with its limit."""
    return {
        (one.feature, one.subscription_id): [(part.source, part.limit) for part in one.allowances]
        for one in definitions
    }


PLAN = a_version(given("region", "eu"), given("region", "us", add_on="global"))
BARE, WITH_ADD_ON = a_source(PLAN), a_source(PLAN, add_ons={"global": Decimal(2)})
OF_BOTH = an_override("region", "ch", of=WITH_ADD_ON)
OF_ACCOUNT = an_override("region", "jp")
REGION = a_feature("region", STATIC, default=defined("none"))
LADDER = [
    (None, [], "none", SourceKind.DEFAULT),
    (BARE, [], "eu", SourceKind.PLAN),
    (WITH_ADD_ON, [], "us", SourceKind.ADD_ON),
    (WITH_ADD_ON, [OF_BOTH], "ch", SourceKind.SUBSCRIPTION_OVERRIDE),
    (WITH_ADD_ON, [OF_BOTH, OF_ACCOUNT], "jp", SourceKind.ACCOUNT_OVERRIDE),
    (None, [OF_ACCOUNT], "jp", SourceKind.ACCOUNT_OVERRIDE),
    # The override of a subscription that gives nothing any more gives nothing either.
    (None, [OF_BOTH], "none", SourceKind.DEFAULT),
]


@pytest.mark.parametrize(("source", "overrides", "value", "kind"), LADDER)
def test_each_step_of_the_ladder_counts_instead_of_those_below(source, overrides, value, kind):
    held = [(source, PLAN)] if source else []
    decided, _ = decide(holding(*held, features=[REGION], overrides=overrides))
    of_account = decided.features["region"]
    assert (of_account.value, of_account.source) == (value, kind)
    for given_now in decided.subscriptions.values():  # through the only one it is the same
        assert [(one.feature, one.value) for one in given_now.features] == [("region", value)]


OF_SEVERAL = [
    ([True, False], True),
    ([False, True], True),
    ([False, False], None),
    ([3, 25, 7], 25),
    ([-3, 0], 0),
    (["eu", "us"], "us"),
    ([9, "many"], "many"),
    ([9, True], True),  # true is no number
]


@pytest.mark.parametrize(("values", "best"), OF_SEVERAL)
def test_of_several_subscriptions_the_best_counts_or_the_newest(values, best):
    kind = BOOLEAN if all(isinstance(value, bool) for value in values) else STATIC
    versions = [a_version(given("f", value)) for value in values]
    held = [(a_source(one, number=n), one) for n, one in enumerate(versions)]
    now = answer("f", held=held, features=[a_feature("f", kind)])
    if kind is BOOLEAN:
        assert now.allowed is (best is True)
        assert now.reason == (None if best else DenialReason.NOT_ENTITLED)
    else:
        assert (now.allowed, now.value) == (True, best)


def test_what_one_subscription_may_not_use_another_may():
    """The debt is the first one's; the second gives a lesser value that may be used."""
    great, little = a_version(given("projects", 100)), a_version(given("projects", 5))
    first, second = a_source(great), a_source(little, number=2)
    revoked = Restriction(
        cause_id=UUID(int=9),
        account_id=ACCOUNT,
        subscription_id=first.subscription_id,
        effect=RestrictionEffect.REVOKE,
    )
    held = [(first, great), (second, little)]
    assert answer("projects", held=held).value == 100
    now = answer("projects", held=held, restrictions=[revoked])
    assert (now.allowed, now.value) == (True, 5)
    everything = Restriction(
        cause_id=UUID(int=9),
        account_id=ACCOUNT,
        subscription_id=None,
        effect=RestrictionEffect.REVOKE,
    )
    now = answer("projects", held=held, restrictions=[everything])
    assert (now.allowed, now.value) == (False, 100)
    assert now.reason is DenialReason.PAYMENT_OVERDUE


CALLS = a_version(given("calls", "1000"), given("calls", "250", add_on="more"))
FIRST = a_source(CALLS, add_ons={"more": Decimal("1.5")})
SECOND = a_source(CALLS, number=2)
ONE, TWO = FIRST.subscription_id, SECOND.subscription_id


def test_limits_of_all_sources_are_one_pool_or_one_for_each_subscription():
    """An add-on gives its limit for each unit: 1.5 units of 250 are 375."""
    plan_of_one, plan_of_two = (f"plan:{ONE}", Decimal(1000)), (f"plan:{TWO}", Decimal(1000))
    add_on = (f"add_on:{ONE}:more", Decimal(375))
    held = [(FIRST, CALLS), (SECOND, CALLS)]
    decided, pools = decide(holding(*held))
    assert allowances(pools) == {("calls", None): [add_on, plan_of_one, plan_of_two]}
    assert decided.features["calls"].pools == (None,)
    parallel = a_feature("calls", METERED, combination=PARALLEL, meter="requests")
    decided, pools = decide(holding(*held, features=[parallel]))
    assert allowances(pools) == {
        ("calls", ONE): [add_on, plan_of_one],
        ("calls", TWO): [plan_of_two],
    }
    assert decided.features["calls"].pools == (ONE, TWO)
    assert {one.meter for one in pools} == {"requests"}
    for source in (FIRST, SECOND):
        (calls,) = decided.subscriptions[source.subscription_id].features
        assert calls.pool.subscription_id == source.subscription_id


def test_an_override_of_a_limit_is_in_place_of_what_stands_there():
    of_one, of_all = an_override("calls", "5", of=FIRST), an_override("calls", None)
    held = [(FIRST, CALLS), (SECOND, CALLS)]
    _, pools = decide(holding(*held, overrides=[of_one]))
    assert allowances(pools) == {
        ("calls", None): [(f"override:{of_one.id}", 5), (f"plan:{TWO}", 1000)]
    }
    parallel = a_feature("calls", METERED, combination=PARALLEL)
    decided, pools = decide(holding(*held, features=[parallel], overrides=[of_one, of_all]))
    assert allowances(pools) == {("calls", None): [(f"override:{of_all.id}", None)]}
    assert decided.features["calls"].source is SourceKind.ACCOUNT_OVERRIDE


def test_a_pool_follows_the_period_of_the_subscription_that_has_given_it_longest():
    later = BEGAN + timedelta(days=10)
    newer = a_source(CALLS, number=2, period_start=later, period_end=later + timedelta(days=31))
    bare = a_version()
    oldest = a_source(bare)
    _, (pool,) = decide(holding((oldest, bare), (newer, CALLS)))
    assert pool.period == (newer.period_start, newer.period_end)
    # What no subscription gives follows the oldest that there is, or nothing.
    feature = a_feature("calls", METERED, default=defined("10"))
    for held, expected in (
        ([(oldest, bare)], (oldest.period_start, oldest.period_end)),
        ([], None),
    ):
        _, (pool,) = decide(holding(*held, features=[feature]))
        assert (pool.period, pool.allowances[0].source) == (expected, "default")


def test_terms_are_those_of_what_comes_first():
    plan = a_version(
        given("calls", "10"), given("calls", "5", add_on="more", preserve_overage=True)
    )
    older, newer = a_source(plan), a_source(plan, number=2, add_ons={"more": Decimal(1)})
    _, (pool,) = decide(holding((older, plan), (newer, plan)))
    assert pool.terms.preserve_overage


def test_a_grant_alone_gives_a_feature_for_as_long_as_its_subscription_does():
    bare = a_version()
    source = a_source(bare)
    calls = a_feature("calls", METERED)

    def granted(to):
        return Granted(feature="calls", subscription_id=to, effective_at=BEGAN, ends_at=None)

    for to in (None, source.subscription_id):
        decided, pools = decide(holding((source, bare), features=[calls], grants=[granted(to)]))
        now = decided.features["calls"]
        assert (now.allowed, now.source, now.pools) == (True, SourceKind.GRANT, (to,))
        assert pools == []  # grants are kept where they are
        (through,) = decided.subscriptions[source.subscription_id].features
        assert through.pool.subscription_id == to
    decided, _ = decide(holding(features=[calls], grants=[granted(source.subscription_id)]))
    assert decided.features == {}


def test_grants_do_not_open_a_pool_that_was_not_paid_for():
    unpaid = Restriction(
        cause_id=UUID(int=9),
        account_id=ACCOUNT,
        subscription_id=ONE,
        effect=RestrictionEffect.READ_ONLY,
    )
    grant = Granted(feature="calls", subscription_id=None, effective_at=BEGAN, ends_at=None)
    held = [(FIRST, CALLS)]
    now = answer("calls", held=held, restrictions=[unpaid], grants=[grant])
    assert (now.allowed, now.reason) == (False, DenialReason.PAYMENT_OVERDUE)
    # Another subscription that is paid opens the pool that both fill.
    now = answer("calls", held=[*held, (SECOND, CALLS)], restrictions=[unpaid])
    assert (now.allowed, now.pools) == (True, (None,))


values = st.sampled_from([True, False])


@for_any(
    st.lists(st.tuples(values, st.none() | values, st.none() | values), max_size=4),
    st.none() | values,
    st.none() | values,
)
def test_precedence_is_a_ladder_whatever_there_is(subscriptions, of_account, default):
    """Each subscription: what its plan says, its add-on if it has one, its override if there is one."""
    held, overrides, own = [], [], []
    for number, (plan, add_on, override) in enumerate(subscriptions):
        version = a_version(given("f", plan), given("f", bool(add_on), add_on="extra"))
        add_ons = {} if add_on is None else {"extra": Decimal(1)}
        source = a_source(version, number=number, add_ons=add_ons)
        held.append((source, version))
        if override is not None:
            overrides.append(an_override("f", override, of=source))
        said = [one for one in (override, add_on, plan) if one is not None]
        own.append(said[0])
    if of_account is not None:
        overrides.append(an_override("f", of_account))
    feature = a_feature("f", BOOLEAN, default=None if default is None else defined(default))
    decided, _ = decide(holding(*held, features=[feature], overrides=overrides))
    of_subscriptions = any(own) if own else default
    expected = of_subscriptions if of_account is None else of_account
    if expected is None:
        assert decided.features == {}
    else:
        assert decided.features["f"].allowed is expected
    through = [one.features[0].allowed for one in decided.subscriptions.values()]
    assert through == [of_account if of_account is not None else one for one in own]


def test_decisions_come_in_the_order_of_their_codes():
    plan = a_version(given("b", True), given("a", True), given("C", True))
    source = a_source(plan)
    decided, _ = decide(holding((source, plan)))
    codes = [one.feature for one in decided.subscriptions[source.subscription_id].features]
    assert codes == list(decided.features) == ["C", "a", "b"]
    assert all(a < b for a, b in pairwise(codes))


def test_it_is_explained_which_sources_count():
    """The override of the subscription is in place of its plan and its add-on; the grant adds to it."""
    of_one = an_override("calls", "5", of=FIRST)
    grant = Granted(feature="calls", subscription_id=ONE, effective_at=BEGAN, ends_at=None)
    feature = a_feature("calls", METERED, default=defined("1", kept_when_unpaid=True))
    unpaid = Restriction(
        cause_id=UUID(int=9),
        account_id=ACCOUNT,
        subscription_id=None,
        effect=RestrictionEffect.READ_ONLY,
    )
    held = holding(
        (FIRST, CALLS),
        (SECOND, CALLS),
        features=[feature],
        overrides=[of_one],
        grants=[grant],
        restrictions=[unpaid],
    )
    told = [
        (one.kind, one.definition and one.definition.value, one.counts, one.withheld)
        for one in explain(held, ["calls"])["calls"]
    ]
    assert told == [
        (SourceKind.SUBSCRIPTION_OVERRIDE, "5", True, True),
        (SourceKind.ADD_ON, "375.000000", False, True),
        (SourceKind.PLAN, "1000", False, True),
        (SourceKind.PLAN, "1000", True, True),
        (SourceKind.DEFAULT, "1", False, False),
        (SourceKind.GRANT, None, True, True),
    ]
    assert explain(held, ["nothing"]) == {"nothing": []}
