"""What belongs to a pool, and in which order is it used up?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from billwright.features.entitlements.model import Allotment, AllotmentKind, Pool, PoolDefinition
from billwright.features.entitlements.rules.counting import NOTHING_COUNTED, Counted
from billwright.kernel.quick import quickly_made

FAR = datetime(9999, 1, 1, tzinfo=UTC)
"""Where a segment ends of which nobody knows the end yet."""

ALLOWANCE_PRIORITY = 100


class PoolKey(NamedTuple):
    """Where a pool is: an account's own of a feature or, with a `subscription_id`, that of one."""

    account_id: UUID
    feature: str
    subscription_id: UUID | None = None


def key_of(definition: PoolDefinition) -> PoolKey:
    """Where a pool is that is defined so."""
    return PoolKey(definition.account_id, definition.feature, definition.subscription_id)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A pool, what it holds, and what it remembers of the running totals."""

    pool: Pool
    allotments: tuple[Allotment, ...]
    counted: Counted = NOTHING_COUNTED

    @property
    def grants(self) -> tuple[Allotment, ...]:
        return tuple(one for one in self.allotments if one.kind is AllotmentKind.GRANT)


def in_burn_order(
    allotments: tuple[Allotment, ...], window_end: datetime | None
) -> list[Allotment]:
    """By priority, then what expires earlier, was created earlier, has the lower id. An allowance
    expires with its window.
    """

    def key(one: Allotment) -> tuple[int, datetime, datetime, UUID]:
        expires_at = one.expires_at or (window_end if one.kind is AllotmentKind.ALLOWANCE else None)
        return one.priority, expires_at or FAR, one.created_at, one.id

    return sorted(allotments, key=key)


def lasts_at(allotment: Allotment, instant: datetime) -> bool:
    """Whether an allotment has begun and not expired; whether it gives then, its steps say."""
    return allotment.effective_at <= instant and (
        allotment.expires_at is None or instant < allotment.expires_at
    )


def is_alive(grant: Allotment, now: datetime) -> bool:
    """Whether a grant is in force or still to come."""
    return grant.voided_at is None and (grant.expires_at is None or now < grant.expires_at)
