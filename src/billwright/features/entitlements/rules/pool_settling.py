"""How does a pool come to stand as it does at an instant?

It is planned first what has to be counted for that, so that many pools can be counted together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from billwright.features.entitlements.model import Allotment, AllotmentKind, Pool, Step
from billwright.features.entitlements.rules.pool import FAR, Holding, lasts_at
from billwright.features.entitlements.rules.pool_cuts import cuts_within, issues, next_cut
from billwright.features.entitlements.rules.pool_fold import Folded, fold
from billwright.features.entitlements.rules.pool_window import (
    Window,
    latest_window,
    windows_until,
)
from billwright.kernel.quick import replaced

_NOTHING = Decimal(0)
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A window with the instants at which something changes in it, the first of which is its start; in
    the running one something changes next at `ends_at`.
    """

    window: Window
    cuts: tuple[datetime, ...]
    ends_at: datetime
    is_over: bool

    @property
    def segments(self) -> list[tuple[datetime, datetime]]:
        """From each cut to the next."""
        return list(zip(self.cuts, (*self.cuts[1:], self.ends_at), strict=True))


def needs_past(holding: Holding) -> bool:
    """Whether windows that have ended left something that counts in those that follow."""
    return holding.pool.definition.terms.preserve_overage or any(
        one.voided_at is None for one in holding.grants
    )


def stretches_of(
    holding: Holding, *, now: datetime, first_uses: Sequence[datetime] = ()
) -> list[Stretch]:
    """The windows whose usage has to be counted, from the one that was running up to that of `now`."""
    pool, zone = holding.pool, holding.pool.definition.zone
    window = Window(pool.window_start, pool.window_end)
    if not needs_past(holding):
        window = latest_window(pool.definition, window, now=now)
    windows = list(windows_until(pool.definition, window, now=now, first_uses=first_uses))
    if not needs_past(holding):
        del windows[:-1]
    return [_stretch(holding.allotments, one, zone=zone, now=now) for one in windows]


def _stretch(
    allotments: Sequence[Allotment], window: Window, *, zone: str, now: datetime
) -> Stretch:
    if window.end is not None and window.end <= now:
        last = window.end - _INSTANT
        cuts = cuts_within(allotments, zone=zone, start=window.start, until=last)
        return Stretch(window, tuple(cuts), window.end, is_over=True)
    cuts = cuts_within(allotments, zone=zone, start=window.start, until=now)
    coming = [next_cut(allotments, zone=zone, after=now), window.end, FAR]
    ends_at = min(at for at in coming if at is not None)
    return Stretch(window, tuple(cuts), ends_at, is_over=False)


def begun_anew(holding: Holding, window: Window, *, folded: Folded | None) -> Holding:
    """A pool in a window that follows another: allowances have their amount again, and grants what they
    keep of what they had.

    Allowances that no source gives any more are gone with the window in which they ended.
    """
    definition = holding.pool.definition
    limits = {one.source: one.limit for one in definition.allowances}
    left = folded.balances if folded else {}
    issued = folded.issued if folded else {}
    allotments = []
    for one in holding.allotments:
        if one.kind is AllotmentKind.ALLOWANCE:
            if one.source in limits:
                allotments.append(_allowed_anew(one, limits[one.source], at=window.start))
        elif one.effective_at >= window.start:
            allotments.append(one)
        else:
            allotments.append(
                _kept(
                    replaced(one, issued_index=issued.get(one.id, one.issued_index)),
                    left=left.get(one.id, one.balance or _NOTHING),
                    at=window.start,
                    zone=definition.zone,
                )
            )
    keeps = definition.terms.preserve_overage and folded is not None
    pool = replaced(
        holding.pool,
        window_start=window.start,
        window_end=window.end,
        carried=folded.overage if folded and keeps else _NOTHING,
        limit_neared_at=None,
        limit_reached_at=None,
    )
    return Holding(pool=pool, allotments=tuple(allotments))


def _allowed_anew(allotment: Allotment, limit: Decimal | None, *, at: datetime) -> Allotment:
    return replaced(
        allotment,
        amount=limit,
        balance=limit,
        steps=(Step(at=at, given=limit or _NOTHING, limit=limit),),
    )


def _kept(grant: Allotment, *, left: Decimal, at: datetime, zone: str) -> Allotment:
    amount = grant.amount or _NOTHING
    if not lasts_at(grant, at) or (grant.voided_at is not None and grant.voided_at <= at):
        gone = Step(at=at, given=left, limit=amount, gives=False)
        return replaced(grant, balance=left, steps=(gone,))
    kept, index = min(grant.rollover_max, max(grant.rollover_min, left)), grant.issued_index
    for number, _ in issues(grant, zone=zone, after=at - _INSTANT, until=at):
        kept, index = amount, number
    return replaced(
        grant,
        balance=kept,
        issued_index=index,
        steps=(Step(at=at, given=kept, limit=amount),),
    )


def settled(
    holding: Holding, *, stretches: Sequence[Stretch], usage: Sequence[Sequence[Decimal]]
) -> Holding:
    """Take what was used of each segment from what was in force in it, window by window. What was used
    of the last one, which is running, is not taken.
    """
    zone = holding.pool.definition.zone
    folded: Folded | None = None
    for number, (stretch, used) in enumerate(zip(stretches, usage, strict=True)):
        if number > 0 or not needs_past(holding):
            holding = _in_window(holding, stretch.window, folded=folded)
        folded = fold(
            holding.allotments,
            window=stretch.window,
            zone=zone,
            cuts=stretch.cuts,
            usage=used if stretch.is_over else used[:-1],
            carried=holding.pool.carried,
        )
    last = stretches[-1]
    # Windows that have ended are planned, and so the last one is that of now.
    assert folded is not None  # noqa: S101
    return _as_folded(holding, last, folded=folded)


def is_over(holding: Holding, now: datetime) -> bool:
    """Whether the window of a pool has ended."""
    return Window(holding.pool.window_start, holding.pool.window_end).is_over(now)


def moved_on(holding: Holding, *, now: datetime) -> Holding:
    """A pool in its running window, where nothing that was used of those before counts."""
    definition = holding.pool.definition
    window = Window(holding.pool.window_start, holding.pool.window_end)
    window = latest_window(definition, window, now=now)
    *_, window = windows_until(definition, window, now=now, first_uses=())
    moved = _in_window(holding, window, folded=None)
    return replaced(moved, pool=replaced(moved.pool, window_end=window.end))


def _in_window(holding: Holding, window: Window, *, folded: Folded | None) -> Holding:
    if window.start == holding.pool.window_start:
        return holding
    return begun_anew(holding, window, folded=folded)


def _as_folded(holding: Holding, stretch: Stretch, *, folded: Folded) -> Holding:
    return Holding(
        pool=replaced(
            holding.pool,
            window_start=stretch.window.start,
            window_end=stretch.window.end,
            settled_at=stretch.cuts[-1],
            valid_until=None if stretch.ends_at == FAR else stretch.ends_at,
            available=folded.available,
            used_before=folded.used,
            overage_before=folded.overage,
        ),
        allotments=tuple(
            replaced(
                one,
                balance=None if one.amount is None else folded.balances[one.id],
                issued_index=folded.issued[one.id],
            )
            for one in holding.allotments
        ),
    )


def leveled(holding: Holding, window: Window, *, now: datetime) -> Holding:
    """A pool that nothing is taken from: what is in force is its limit."""
    holding = _in_window(holding, window, folded=None)
    pool = holding.pool
    coming = [
        next_cut(holding.allotments, zone=pool.definition.zone, after=now),
        window.end,
    ]
    return replaced(
        holding,
        pool=replaced(
            pool,
            window_start=window.start,
            window_end=window.end,
            settled_at=window.start,
            valid_until=min((at for at in coming if at is not None), default=None),
            available=limit_of(holding.allotments, now),
            used_before=_NOTHING,
            overage_before=_NOTHING,
        ),
    )


def limit_of(allotments: Sequence[Allotment], now: datetime) -> Decimal | None:
    """The sum of what is in force; none is no limit."""
    limits = [
        one.steps[-1].limit for one in allotments if one.steps[-1].gives and lasts_at(one, now)
    ]
    if any(limit is None for limit in limits):
        return None
    return sum((limit for limit in limits if limit is not None), _NOTHING)


def balances_now(
    pool: Pool, allotments: Sequence[Allotment], *, used_of_segment: Decimal
) -> dict[UUID, Decimal]:
    """What each allotment has left, with what was used of the running segment taken from it too."""
    window = Window(pool.settled_at, pool.window_end)
    folded = fold(
        [
            replaced(
                one,
                steps=(
                    Step(
                        at=pool.settled_at,
                        given=one.balance or _NOTHING,
                        limit=one.steps[-1].limit,
                        gives=one.steps[-1].gives,
                    ),
                ),
                recurrence=None,
            )
            for one in allotments
        ],
        window=window,
        zone=pool.definition.zone,
        cuts=[pool.settled_at],
        usage=[used_of_segment],
        carried=_NOTHING,
    )
    return dict(folded.balances)
