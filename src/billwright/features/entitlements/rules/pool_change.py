"""What does a pool hold after what gives it has changed?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billwright.features.catalog.model import AllowanceChange, ResetKind
from billwright.features.entitlements.model import (
    Allotment,
    AllotmentKind,
    Allowance,
    Pool,
    PoolDefinition,
    Step,
)
from billwright.features.entitlements.rules.pool import ALLOWANCE_PRIORITY, Holding
from billwright.features.entitlements.rules.pool_window import Window, end_moved
from billwright.kernel.quick import replaced

_NOTHING = Decimal(0)
_INSTANT = timedelta(microseconds=1)
_PLACES = 6  # those of the columns that keep amounts and balances
_HALF = Fraction(1, 2)


def cut_for(holding: Holding, definition: PoolDefinition, *, now: datetime) -> Holding:
    """A pool whose window ends where a billing period has begun that it did not know of, so that the
    one which follows is that period.
    """
    pool, period = holding.pool, definition.period
    before = pool.definition
    follows = (
        before.terms.reset.kind is ResetKind.BILLING_CYCLE
        and definition.terms.reset.kind is ResetKind.BILLING_CYCLE
    )
    end = pool.window_end
    if follows and period is not None and pool.window_start < period[0] <= now:
        end = period[0] if end is None else min(end, period[0])
    moved = replaced(before, period=period if follows else before.period, zone=definition.zone)
    return replaced(holding, pool=replaced(pool, definition=moved, window_end=end))


def redefined(
    holding: Holding,
    definition: PoolDefinition,
    *,
    now: datetime,
    new_id: Callable[[], UUID],
) -> Holding:
    """A pool, none of whose windows has ended by `now`, as it is defined from then on.

    A window that is the definition's own period has all that is given from its beginning. In any other,
    a source gives its full limit from now on and takes along what it leaves when it goes; and what one
    gives otherwise than before is settled by the feature's `on_change`.
    """
    pool = holding.pool
    window = Window(pool.window_start, pool.window_end)
    is_new_period = _is_new_period(pool, definition)
    if _times(definition) != _times(pool.definition):
        window = end_moved(window, before=pool.definition, after=definition, now=now)
    held = {one.source: one for one in holding.allotments if one.source is not None}
    given = {one.source for one in definition.allowances}
    allotments = [one for one in holding.allotments if one.kind is AllotmentKind.GRANT]
    allotments += [
        _ended(one, at=now)
        for source, one in held.items()
        if source not in given and not is_new_period
    ]
    for allowance in definition.allowances:
        known = held.get(allowance.source)
        if known is None or is_new_period:
            at = window.start if is_new_period else now
            key = known.id if known else new_id()
            allotments.append(allowance_from(pool, allowance, at=at, now=now, key=key))
        else:
            share = _share_left(window, now)
            allotments.append(
                _changed(
                    known,
                    limit=allowance.limit,
                    on_change=definition.on_change,
                    share=share,
                    at=now,
                )
            )
    return Holding(
        pool=replaced(
            pool,
            definition=definition,
            window_start=window.start,
            window_end=window.end,
        ),
        allotments=tuple(allotments),
    )


def _is_new_period(pool: Pool, definition: PoolDefinition) -> bool:
    """Whether the running window is a billing period of which the pool knows only now."""
    before, period = pool.definition, definition.period
    return (
        before.terms.reset.kind is ResetKind.BILLING_CYCLE
        and definition.terms.reset.kind is ResetKind.BILLING_CYCLE
        and period is not None
        and pool.window_start == period[0]
        and (before.period is None or before.period[0] != period[0])
    )


def _times(definition: PoolDefinition) -> tuple[object, ...]:
    """What says where windows end."""
    return definition.terms.reset, definition.period, definition.zone


def allowance_from(
    pool: Pool, allowance: Allowance, *, at: datetime, now: datetime, key: UUID
) -> Allotment:
    """What a source gives of a pool from an instant on."""
    limit = allowance.limit
    return Allotment(
        id=key,
        pool_id=pool.id,
        account_id=pool.definition.account_id,
        kind=AllotmentKind.ALLOWANCE,
        source=allowance.source,
        amount=limit,
        balance=limit,
        effective_at=at,
        expires_at=None,
        priority=ALLOWANCE_PRIORITY,
        rollover_min=_NOTHING,
        rollover_max=_NOTHING,
        recurrence=None,
        issued_index=0,
        steps=(Step(at=at, given=limit or _NOTHING, limit=limit),),
        reason="",
        metadata={},
        voided_at=None,
        version=1,
        created_at=now,
    )


def _ended(allotment: Allotment, *, at: datetime) -> Allotment:
    last = allotment.steps[-1]
    if not last.gives:
        return allotment
    return _with_step(allotment, Step(at=at, given=_NOTHING, limit=last.limit, gives=False))


def _changed(
    allotment: Allotment,
    *,
    limit: Decimal | None,
    on_change: AllowanceChange,
    share: Fraction,
    at: datetime,
) -> Allotment:
    last = allotment.steps[-1]
    if last.gives and last.limit == limit:
        return allotment
    if limit is None:
        return _with_step(allotment, Step(at=at, given=_NOTHING, limit=None))
    if last.limit is None:
        # What was used without a limit was taken from nothing, so that the limit before it counts on.
        former = next(
            (one.limit for one in reversed(allotment.steps) if one.limit is not None), _NOTHING
        )
        return _with_step(allotment, Step(at=at, given=limit - former, limit=limit))
    difference = limit - last.limit
    match on_change:
        case AllowanceChange.GRANT_FULL if difference:
            step = Step(at=at, given=limit, limit=limit, anew=True)
        case AllowanceChange.PRORATE_GRANT:
            step = Step(at=at, given=_rounded(Fraction(difference) * share), limit=limit)
        case _:
            step = Step(at=at, given=difference, limit=limit)
    return _with_step(allotment, step)


def _with_step(allotment: Allotment, step: Step) -> Allotment:
    steps = (*allotment.steps, step)
    amount: Decimal | None = _NOTHING
    for one in steps:
        amount = one.given + (_NOTHING if one.anew else amount or _NOTHING)
    return replaced(
        allotment,
        steps=steps,
        amount=None if step.limit is None else amount,
        balance=None if step.limit is None else allotment.balance or _NOTHING,
    )


def _share_left(window: Window, now: datetime) -> Fraction:
    if window.end is None:
        return Fraction(1)
    left, whole = window.end - max(now, window.start), window.end - window.start
    return Fraction(left // _INSTANT, whole // _INSTANT)


def _rounded(exact: Fraction) -> Decimal:
    """To the millionth, a half away from zero."""
    millionths = (abs(exact) * 10**_PLACES + _HALF).__floor__()
    return Decimal(f"{millionths if exact >= 0 else -millionths}E-{_PLACES}")
