"""May so much be granted, and what is it then?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billwright.features.catalog.rules.feature_value import is_countable
from billwright.features.entitlements.errors import (
    grant_amount_invalid,
    grant_begins_in_past,
    grant_ends_before_begin,
    grant_recurrence_too_short,
    grant_rollover_unfit,
)
from billwright.features.entitlements.model import Allotment, AllotmentKind, Pool, Step
from billwright.features.entitlements.rules.pool import ALLOWANCE_PRIORITY
from billwright.kernel.calendar import Interval, IntervalUnit

_NOTHING = Decimal(0)
_LEAST = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """So much of a metered feature, to be used from `effective_at` on, by default from now, and up to
    `expires_at`, by default until it is used up. `Allotment` says what the rest means; by default all
    that is left is kept when the count starts anew.
    """

    amount: Decimal
    reason: str
    effective_at: datetime | None = None
    expires_at: datetime | None = None
    priority: int = ALLOWANCE_PRIORITY
    rollover_min: Decimal = _NOTHING
    rollover_max: Decimal | None = None
    recurrence: Interval | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


def refuse_unfit_grant(grant: Grant, *, now: datetime) -> None:
    """Refuses: `entitlement_grant_amount_invalid`, `entitlement_grant_rollover_unfit`,
    `entitlement_grant_begins_in_past`, `entitlement_grant_ends_before_begin`,
    `entitlement_grant_recurrence_too_short`.
    """
    most = grant.amount if grant.rollover_max is None else grant.rollover_max
    for member, number, least in (
        ("amount", grant.amount, _LEAST),
        ("rollover_min", grant.rollover_min, _NOTHING),
        ("rollover_max", most, _NOTHING),
    ):
        if not is_countable(number) or number < least:
            raise grant_amount_invalid(pointer=f"/{member}", member=member, least=str(least))
    if grant.rollover_min > most:
        raise grant_rollover_unfit(
            pointer="/rollover_min", rollover_min=str(grant.rollover_min), rollover_max=str(most)
        )
    effective_at = grant.effective_at or now
    if effective_at < now:
        raise grant_begins_in_past(pointer="/effective_at", now=now.isoformat())
    if grant.expires_at is not None and grant.expires_at <= effective_at:
        raise grant_ends_before_begin(pointer="/expires_at", effective_at=effective_at.isoformat())
    # Whatever a pool holds is followed from the beginning of its window, issue by issue.
    if grant.recurrence is not None and grant.recurrence.unit is IntervalUnit.HOUR:
        raise grant_recurrence_too_short(pointer="/recurrence/unit")


def granted(grant: Grant, pool: Pool, *, key: UUID, now: datetime) -> Allotment:
    """What a pool holds of a grant."""
    effective_at = grant.effective_at or now
    return Allotment(
        id=key,
        pool_id=pool.id,
        account_id=pool.definition.account_id,
        kind=AllotmentKind.GRANT,
        source=None,
        amount=grant.amount,
        balance=grant.amount,
        effective_at=effective_at,
        expires_at=grant.expires_at,
        priority=grant.priority,
        rollover_min=grant.rollover_min,
        rollover_max=grant.amount if grant.rollover_max is None else grant.rollover_max,
        recurrence=grant.recurrence,
        issued_index=0,
        steps=(Step(at=effective_at, given=grant.amount, limit=grant.amount),),
        reason=grant.reason,
        metadata=dict(grant.metadata),
        voided_at=None,
        version=1,
        created_at=now,
    )


def voided(grant: Allotment, *, left: Decimal, now: datetime) -> Allotment:
    """A grant that gives nothing any more, of which so much was left."""
    at = max(now, grant.effective_at)
    step = Step(at=at, given=_NOTHING, limit=grant.amount, gives=False)
    return replace(grant, balance=left, voided_at=now, steps=(*grant.steps, step))
