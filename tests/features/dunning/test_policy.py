"""Is a policy read as it was written, and refused where it makes no sense?"""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from billwright.features.dunning.rules.policy import (
    DunningPolicy,
    EntitlementEffect,
    FinalAction,
    HardDecline,
    Scope,
    definition_of,
    policy_of,
)
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.kernel.refusal import Category, Refusal

DAY = timedelta(days=1)
DEGRADED = {"after": "P7D", "effect": "degrade", "features": ["exports"]}


def refused(**members: Any) -> str:
    """Where the definition is wrong."""
    with pytest.raises(Refusal) as refusal:
        policy_of(members)
    assert (refusal.value.code, refusal.value.category) == (
        "dunning_policy_invalid",
        Category.INVALID,
    )
    (problem,) = refusal.value.problems
    assert problem.detail.startswith(problem.pointer or "The policy")
    return problem.pointer


def test_nothing_said_is_the_default():
    policy = policy_of({})
    assert policy == DunningPolicy()
    assert policy.schedule == (2 * DAY, 5 * DAY, 7 * DAY, 7 * DAY)
    assert (policy.hard_decline, policy.final_action) == (HardDecline.STOP, FinalAction.CANCEL)
    assert (policy.scope, policy.local_hours.opens) == (Scope.INVOICE, 9)


def test_a_policy_comes_back_from_its_json():
    policy = policy_of(
        {
            "schedule": ["PT36H", "P3D"],
            "minimums": {"EUR": "1.00", "JPY": "100"},
            "local_hours": {"opens": 0, "closes": 24},
            "notices": [{"code": "reminder", "offset": "-PT12H"}],
            "entitlement_steps": [DEGRADED, {"after": "P14D", "effect": "revoke"}],
            "scope": "account",
        }
    )
    assert policy.schedule == (timedelta(hours=36), 3 * DAY)
    assert policy.notices[0].offset == timedelta(hours=-12)
    assert policy.entitlement_steps[0].effect is EntitlementEffect.DEGRADE
    assert policy_of(json.loads(json.dumps(definition_of(policy)))) == policy


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"schedule": "P2D"}, "/schedule"),
        ({"schedule": ["P2D", "2d"]}, "/schedule/1"),
        ({"schedule": ["P2D", "PT59M"]}, "/schedule/1"),
        ({"schedule": ["-P2D"]}, "/schedule/0"),
        ({"schedule": ["P366D"], "max_age": "P400D"}, "/schedule/0"),
        ({"schedule": ["PT1H"] * 21, "notices": []}, "/schedule"),
        ({"schedule": ["P30D", "P31D"]}, "/max_age"),
        ({"max_age": "P731D"}, "/max_age"),
        ({"hard_decline": "retry"}, "/hard_decline"),
        ({"final_action": None}, "/final_action"),
        ({"restoration": "later"}, "/restoration"),
        ({"retries": 4}, "/retries"),
        ({"local_hours": {"opens": 9, "closes": 9}}, "/local_hours/closes"),
        ({"local_hours": {"opens": 24, "closes": 24}}, "/local_hours/opens"),
        ({"local_hours": {"opens": 9, "until": 17}}, "/local_hours/until"),
        ({"minimums": {"EUR": "-1"}}, "/minimums/EUR"),
        ({"minimums": {"EUR": "NaN"}}, "/minimums/EUR"),
        ({"minimums": {"EUR": "0.001"}}, "/minimums/EUR"),
        ({"minimums": {"XXX": "1"}}, "/minimums/XXX"),
        ({"notices": [{"offset": "P0D"}]}, "/notices/0"),
        ({"notices": [{"code": "A b", "offset": "P0D"}]}, "/notices/0/code"),
        ({"notices": [{"code": "a", "offset": "P0D"}] * 2}, "/notices/1/code"),
        ({"notices": [{"code": "a", "offset": "-P2D"}]}, "/notices/0/offset"),
        ({"notices": [{"code": "a", "offset": "P2D"}]}, "/notices/0/offset"),
        (
            {"entitlement_steps": [{"after": "P7D", "effect": "degrade"}]},
            "/entitlement_steps/0/features",
        ),
        ({"entitlement_steps": [{**DEGRADED, "effect": "keep"}]}, "/entitlement_steps/0/features"),
        ({"entitlement_steps": [{**DEGRADED, "after": "-P1D"}]}, "/entitlement_steps/0/after"),
        ({"entitlement_steps": [{**DEGRADED, "after": "P61D"}]}, "/entitlement_steps/0/after"),
        ({"entitlement_steps": [DEGRADED, DEGRADED]}, "/entitlement_steps/1/after"),
        (
            {"entitlement_steps": [DEGRADED, {"after": "P8D", "effect": "keep"}]},
            "/entitlement_steps/1/effect",
        ),
    ],
)
def test_a_refusal_names_the_member(members, pointer):
    assert refused(**members) == pointer


def test_what_is_no_table_at_all():
    with pytest.raises(Refusal):
        policy_of([])


@pytest.mark.parametrize(
    ("amount_minor", "currency", "pursued"),
    [
        (100, "EUR", True),
        (99, "EUR", False),
        (99, "JPY", False),
        (100, "JPY", True),
        (1, "USD", True),
        (0, "USD", False),
    ],
)
def test_less_than_the_minimum_of_its_currency_is_not_pursued(amount_minor, currency, pursued):
    policy = DunningPolicy(minimums={"EUR": Decimal("1.00"), "JPY": Decimal(100)})
    assert policy.pursues(Money(amount_minor, currency_of(currency))) is pursued
