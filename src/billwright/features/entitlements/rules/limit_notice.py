"""Is there anything to be told of how much of a limit is used?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from billwright.features.catalog.model import ResetKind
from billwright.features.entitlements.model import Pool
from billwright.features.entitlements.rules.standing import Standing

_NEARLY = Decimal("0.8")


@dataclass(frozen=True, slots=True)
class Noticed:
    """A pool that remembers what is told now: that its limit is reached, or nearly."""

    pool: Pool
    is_reached: bool
    is_neared: bool


def noticed(standing: Standing, now: datetime) -> Noticed:
    """What is told of a pool that was not told before in this window. Where a limit is reached at once,
    nobody is told that it nearly is. In a window that slides, it is told again after most of it had
    become free.
    """
    pool, limit = standing.pool, standing.limit
    if limit is None or standing.used <= 0:
        return Noticed(pool, is_reached=False, is_neared=False)
    is_neared = standing.used >= limit * _NEARLY
    slides = pool.definition.terms.reset.kind is ResetKind.SLIDING_WINDOW
    if not is_neared:
        if slides:
            pool = replace(pool, limit_neared_at=None, limit_reached_at=None)
        return Noticed(pool, is_reached=False, is_neared=False)
    tells_reached = standing.used >= limit and pool.limit_reached_at is None
    tells_neared = not tells_reached and pool.limit_neared_at is None
    return Noticed(
        replace(
            pool,
            limit_neared_at=pool.limit_neared_at or now,
            limit_reached_at=now if tells_reached else pool.limit_reached_at,
        ),
        is_reached=tells_reached,
        is_neared=tells_neared and pool.limit_reached_at is None,
    )
