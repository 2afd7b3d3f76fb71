"""Which answer follows from what was decided and how the pools stand?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.catalog.model import FeatureKind, LimitPolicy
from billwright.features.entitlements.model import (
    AccountDecision,
    Answer,
    Decision,
    DenialReason,
    PoolPlace,
    Question,
    SourceKind,
)
from billwright.features.entitlements.rules.answer import (
    Ground,
    PoolNow,
    answer_to,
    decision_now,
    places_of,
)
from billwright.features.entitlements.rules.standing import level_of

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ACCOUNT = UUID(int=1)
HARD, SOFT, CAPPED = LimitPolicy.HARD, LimitPolicy.SOFT, LimitPolicy.SOFT_CAPPED
BEGUN = {"used_before": Decimal(0), "overage_before": Decimal(0)}


def a_decision(kind: FeatureKind, **changes: Any) -> AccountDecision:
    values: dict[str, Any] = {
        "kind": kind,
        "allowed": True,
        "reason": None,
        "value": None,
        "source": SourceKind.PLAN,
        "pools": (None,) if kind is FeatureKind.METERED else (),
    }
    return AccountDecision(**{**values, **changes})


def a_pool(
    limit: int | None,
    *,
    used: int = 0,
    reserved: int = 0,
    policy: LimitPolicy = HARD,
    soft_cap: int | None = None,
    valid_until: datetime | None = None,
) -> PoolNow:
    level = level_of(
        available=None if limit is None else Decimal(limit),
        used_of_segment=Decimal(used),
        reserved=Decimal(reserved),
        **BEGUN,
    )
    cap = None if soft_cap is None else Decimal(soft_cap)
    return PoolNow(level, policy, cap, NOW + timedelta(days=5), valid_until)


def asked(
    decision: AccountDecision | Decision | None,
    *pools: PoolNow,
    amount: int | str = 1,
    valid_until: datetime | None = None,
) -> Answer:
    question = Question(account_id=ACCOUNT, feature="api_calls", amount=Decimal(amount))
    return answer_to(question, decision=decision, pools=pools, ground=Ground(7, NOW, valid_until))


METERED = a_decision(FeatureKind.METERED)


def test_what_nothing_gives_is_not_entitled():
    answer = asked(None)
    assert (answer.allowed, answer.reason) == (False, DenialReason.NOT_ENTITLED)
    assert (answer.state_version, answer.as_of) == (7, NOW)


def test_a_value_is_told_and_kept_for_a_minute():
    answer = asked(a_decision(FeatureKind.STATIC, value="eu"))
    assert (answer.allowed, answer.value, answer.limit) == (True, "eu", None)
    assert answer.stale_after == NOW + timedelta(seconds=60)


def test_a_missing_payment_withholds_and_the_numbers_stay_to_be_seen():
    withheld = a_decision(FeatureKind.METERED, allowed=False, reason=DenialReason.PAYMENT_OVERDUE)
    answer = asked(withheld, a_pool(10, used=3))
    assert (answer.allowed, answer.reason) == (False, DenialReason.PAYMENT_OVERDUE)
    assert (answer.limit, answer.used, answer.remaining) == (10, 3, 7)


@pytest.mark.parametrize(
    ("pool", "amount", "allowed"),
    [
        (a_pool(10, used=3), 7, True),
        (a_pool(10, used=3), 8, False),
        (a_pool(10, used=10), "0.000001", False),
        # 3 are used and 5 held: 2 are left.
        (a_pool(10, used=3, reserved=5), 2, True),
        (a_pool(10, used=3, reserved=5), 3, False),
        (a_pool(None, used=10**9), 10**9, True),
        (a_pool(10, used=50, policy=SOFT), 10**9, True),
        # 12 of 10 are used, so 2 beyond; up to 5 may be.
        (a_pool(10, used=12, policy=CAPPED, soft_cap=5), 3, True),
        (a_pool(10, used=12, policy=CAPPED, soft_cap=5), 4, False),
        # 2 are left: 7 more would be 5 beyond.
        (a_pool(10, used=8, policy=CAPPED, soft_cap=5), 7, True),
        (a_pool(10, used=8, policy=CAPPED, soft_cap=5), 8, False),
        (a_pool(10, used=10, policy=CAPPED), 1, False),
    ],
)
def test_each_policy_allows_what_it_says(pool: PoolNow, amount: int | str, allowed: bool):
    answer = asked(METERED, pool, amount=amount)
    assert answer.allowed is allowed
    assert answer.reason is (None if allowed else DenialReason.LIMIT_REACHED)


def test_what_was_used_beyond_the_limit_is_not_of_the_limit():
    # 15 of 10: 5 beyond, so 15 - 5 + 0 is the limit.
    answer = asked(METERED, a_pool(10, used=15, policy=SOFT))
    assert (answer.limit, answer.used, answer.overage, answer.remaining) == (10, 15, 5, 0)


@pytest.mark.parametrize(
    ("pools", "limit"),
    [
        ([a_pool(10, used=9), a_pool(5, used=1)], 5),  # 1 left against 4
        ([a_pool(10, used=2), a_pool(20, used=3, reserved=16)], 10),  # 8 against 1
        ([a_pool(1000), a_pool(None, used=5)], None),
    ],
)
def test_of_several_pools_the_one_that_has_most_left_answers(
    pools: list[PoolNow], limit: int | None
):
    assert asked(METERED, *pools).limit == limit
    assert asked(METERED, *reversed(pools)).limit == limit


def test_no_answer_lasts_longer_than_what_it_stands_on():
    second, half = NOW + timedelta(seconds=1), NOW + timedelta(milliseconds=500)
    assert asked(METERED, a_pool(1)).stale_after == second
    assert asked(METERED, a_pool(1, valid_until=half)).stale_after == half
    assert asked(METERED, a_pool(1), valid_until=half).stale_after == half
    boolean = a_decision(FeatureKind.BOOLEAN)
    assert asked(boolean, valid_until=second).stale_after == second


def test_a_subscription_tells_its_numbers_without_zeros_that_say_nothing():
    given_through = Decision(
        feature="api_calls", kind=FeatureKind.METERED, allowed=True, pool=PoolPlace(None)
    )
    assert places_of(given_through) == (None,)
    told = decision_now(given_through, a_pool(1000, used=1000))
    assert (told.limit, told.used, told.remaining) == ("1000", "1000", "0")
    assert (told.allowed, told.reason) == (False, DenialReason.LIMIT_REACHED)


@given(
    available=st.integers(-50, 200),
    before=st.integers(0, 100),
    used=st.integers(-20, 300),
    reserved=st.integers(0, 100),
    amount=st.integers(1, 100),
)
def test_a_hard_limit_is_never_passed_and_never_denies_what_is_left(
    available: int, before: int, used: int, reserved: int, amount: int
):
    level = level_of(
        available=Decimal(available),
        used_before=Decimal(before),
        overage_before=Decimal(0),
        used_of_segment=Decimal(used),
        reserved=Decimal(reserved),
    )
    answer = asked(METERED, PoolNow(level, HARD, None, None, None), amount=amount)
    assert answer.remaining is not None
    assert answer.remaining >= 0
    assert answer.allowed is (answer.remaining >= amount)
    assert level.limit == level.used - level.overage + (level.left or 0)
