"""Whose limits are reached, or nearly, by usage that has become known?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from billwright.features.catalog.sql.reads_features import features_by_code
from billwright.features.entitlements.events import LimitNearlyReached, LimitReached
from billwright.features.entitlements.operations.settle_pools import settle_held, standings_of
from billwright.features.entitlements.rules.limit_notice import Noticed, noticed
from billwright.features.entitlements.rules.standing import Standing
from billwright.features.entitlements.sql.writes_pools import lock_pools_of, mark_limits
from billwright.features.usage.operations.look_at_usage import (
    claim_unseen_usage,
    mark_usage_seen,
)
from billwright.runtime.db.tx import Tx

ACCOUNTS_AT_A_TIME = 100


@dataclass(frozen=True, slots=True)
class LookedAt:
    """How many accounts were looked at, and how many limits announced."""

    accounts: int
    announced: int


async def announce_limits(tx: Tx, *, test_clock_id: UUID | None) -> LookedAt:
    """Look at usage that nobody has looked at yet, of a number of accounts on a test clock or, without
    one, on the real one, and announce once in each window that a limit is reached, or nearly.
    """
    account_ids = await claim_unseen_usage(
        tx, test_clock_id=test_clock_id, limit=ACCOUNTS_AT_A_TIME
    )
    if not account_ids:
        return LookedAt(0, 0)
    held = [one for one in await lock_pools_of(tx, account_ids) if one.pool.closed_at is None]
    await mark_usage_seen(tx, account_ids)
    settled = await settle_held(tx, held, now=tx.now)
    standings = (await standings_of(tx, settled, now=tx.now)).values()
    announced = [(one, noticed(one, tx.now)) for one in standings]
    await mark_limits(tx, [one.pool for standing, one in announced if one.pool != standing.pool])
    await _publish(
        tx, [(one, told) for one, told in announced if told.is_reached or told.is_neared]
    )
    told = sum(one.is_reached or one.is_neared for _, one in announced)
    return LookedAt(len(account_ids), told)


async def _publish(tx: Tx, announced: Sequence[tuple[Standing, Noticed]]) -> None:
    if not announced:
        return
    features = await features_by_code(
        tx, {standing.pool.definition.feature for standing, _ in announced}
    )
    for standing, told in announced:
        tx.publish(
            _reached(standing, name=features[standing.pool.definition.feature].name)
            if told.is_reached
            else _neared(standing)
        )


def _reached(standing: Standing, *, name: str) -> LimitReached:
    pool = standing.pool
    return LimitReached(
        subject_id=pool.definition.account_id,
        account_id=pool.definition.account_id,
        subscription_id=pool.definition.subscription_id,
        feature=pool.definition.feature,
        feature_name=name,
        limit=_limit_of(standing),
        used=standing.used,
        window_start=pool.window_start,
        resets_at=pool.window_end,
    )


def _neared(standing: Standing) -> LimitNearlyReached:
    pool = standing.pool
    return LimitNearlyReached(
        subject_id=pool.definition.account_id,
        account_id=pool.definition.account_id,
        subscription_id=pool.definition.subscription_id,
        feature=pool.definition.feature,
        limit=_limit_of(standing),
        used=standing.used,
        resets_at=pool.window_end,
    )


def _limit_of(standing: Standing) -> Decimal:
    # Of what has no limit, nothing is announced.
    assert standing.limit is not None  # noqa: S101
    return standing.limit
