"""May an account use so much more of a feature?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec

from billwright.features.catalog.model import FeatureKind, LimitPolicy
from billwright.features.entitlements.model import (
    AccountDecision,
    Answer,
    Decision,
    DenialReason,
    Question,
)
from billwright.features.entitlements.rules.standing import (
    Level,
    Standing,
    has_room,
    plain_quantity,
)

_NOTHING, _ONE = Decimal(0), Decimal(1)
_LASTING = timedelta(seconds=60)
_COUNTED = timedelta(seconds=1)


class PoolNow(msgspec.Struct, frozen=True, gc=False):
    """How a pool stands, by which policy it is limited, when its count starts anew, and until when
    nothing of it begins or ends.
    """

    level: Level
    policy: LimitPolicy
    soft_cap: Decimal | None
    resets_at: datetime | None
    valid_until: datetime | None


class Ground(msgspec.Struct, frozen=True, gc=False):
    """What answers stand on: a version of what the account has, the account's now, and until when that
    version holds.
    """

    version: int
    now: datetime
    valid_until: datetime | None


def pool_now(standing: Standing) -> PoolNow:
    """How a pool stands, as far as answers need it."""
    pool = standing.pool
    terms = pool.definition.terms
    return PoolNow(standing, terms.limit_policy, terms.soft_cap, pool.window_end, pool.valid_until)


def places_of(decision: AccountDecision | Decision | None) -> tuple[UUID | None, ...]:
    """Whose pools the usage of a metered feature is counted against."""
    if isinstance(decision, AccountDecision):
        return decision.pools
    return () if decision is None or decision.pool is None else (decision.pool.subscription_id,)


def answer_to(
    question: Question,
    *,
    decision: AccountDecision | Decision | None,
    pools: Sequence[PoolNow],
    ground: Ground,
) -> Answer:
    """The answer by what was decided of the feature (none where nothing gives it) and how its pools
    stand. Of several, the one that has most left answers.

    What is not metered may be kept for a minute, what is metered for a second; nothing longer than it
    holds.
    """
    if decision is None:
        return _answer(question, DenialReason.NOT_ENTITLED, ground=ground)
    if decision.kind is not FeatureKind.METERED:
        return _answer(question, decision.reason, ground=ground, value=decision.value)
    if not pools:
        return _answer(question, decision.reason or DenialReason.NOT_ENTITLED, ground=ground)
    pool = pools[0] if len(pools) == 1 else max(pools, key=_room_of)
    reason = decision.reason
    if reason is None and not has_room(
        pool.level, question.amount, policy=pool.policy, soft_cap=pool.soft_cap
    ):
        reason = DenialReason.LIMIT_REACHED
    return _answer(question, reason, ground=ground, pool=pool)


def decision_now(decision: Decision, pool: PoolNow | None) -> Decision:
    """What a subscription gives of a metered feature, as its pool stands."""
    if pool is None:
        return decision
    level, reason = pool.level, decision.reason
    if reason is None and not has_room(level, _ONE, policy=pool.policy, soft_cap=pool.soft_cap):
        reason = DenialReason.LIMIT_REACHED
    return Decision(
        feature=decision.feature,
        kind=decision.kind,
        allowed=reason is None,
        reason=reason,
        limit=plain_quantity(level.limit),
        used=plain_quantity(max(level.used, _NOTHING)),
        remaining=plain_quantity(level.remaining),
        resets_at=pool.resets_at,
        pool=decision.pool,
    )


def _room_of(pool: PoolNow) -> tuple[bool, Decimal]:
    level = pool.level
    return level.left is None, (level.left or _NOTHING) - level.reserved


def _answer(
    question: Question,
    reason: DenialReason | None,
    *,
    ground: Ground,
    value: bool | int | str | None = None,
    pool: PoolNow | None = None,
) -> Answer:
    level = None if pool is None else pool.level
    return Answer(
        account_id=question.account_id,
        feature=question.feature,
        allowed=reason is None,
        reason=reason,
        value=value,
        limit=None if level is None else level.limit,
        used=None if level is None else max(level.used, _NOTHING),
        overage=None if level is None else level.overage,
        remaining=None if level is None else level.remaining,
        resets_at=None if pool is None else pool.resets_at,
        state_version=ground.version,
        as_of=ground.now,
        stale_after=_stale_after(ground, pool),
    )


def _stale_after(ground: Ground, pool: PoolNow | None) -> datetime:
    instant = ground.now + (_LASTING if pool is None else _COUNTED)
    for end in (ground.valid_until, None if pool is None else pool.valid_until):
        if end is not None and end < instant:
            instant = end
    return instant
