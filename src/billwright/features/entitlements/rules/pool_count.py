"""What has to be asked about usage to bring a pool up to an instant, and what follows from the answer?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from billwright.features.catalog.model import ResetKind
from billwright.features.entitlements.model import Counting
from billwright.features.entitlements.rules.counting import (
    NOTHING_COUNTED,
    changes_with_time,
    counted_at,
    counting_of,
    is_level,
)
from billwright.features.entitlements.rules.pool import Holding
from billwright.features.entitlements.rules.pool_settling import (
    Stretch,
    leveled,
    settled,
    stretches_of,
)
from billwright.features.usage.model import MeterDefinition, TotalKey, UsageTotal, UsageWindow, Used
from billwright.kernel.quick import replaced

_NOTHING = Decimal(0)
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class CountedPool:
    """A pool as it stands now, with what was used of the segment that is running."""

    holding: Holding
    used_of_segment: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolCount:
    """The segments of a pool that are to be counted, and by what. Of a level, or of a window that waits
    for its first use, the last one is all there is.
    """

    holding: Holding
    meter: MeterDefinition
    stretches: tuple[Stretch, ...]
    now: datetime

    @property
    def key(self) -> TotalKey:
        definition = self.holding.pool.definition
        return TotalKey(definition.account_id, self.meter.event_type, definition.subscription_id)

    @property
    def since(self) -> datetime:
        """From which instant on usage is followed without being counted."""
        return self.stretches[-1].cuts[-1]

    @property
    def is_level(self) -> bool:
        return is_level(self.meter, self.holding.pool.definition.terms)

    @property
    def is_followed(self) -> bool:
        """Whether the running totals tell what is used from now on."""
        return not changes_with_time(self.meter, self.holding.pool.definition.terms)

    @property
    def is_unused(self) -> bool:
        return begins_with_use(self.holding) and self.stretches[-1].window.end is None


def begins_with_use(holding: Holding) -> bool:
    """Whether a window of this pool begins when something is used."""
    return holding.pool.definition.terms.reset.kind is ResetKind.FIXED_WINDOW


def planned(
    holding: Holding,
    meter: MeterDefinition,
    *,
    now: datetime,
    first_uses: Sequence[datetime] = (),
) -> PoolCount:
    """What is to be counted of a pool. Who comes a moment after somebody whose moment was a later one
    finds the pool as it stood then: it never goes back.
    """
    now = max(now, holding.pool.settled_at, holding.pool.window_start)
    stretches = stretches_of(holding, now=now, first_uses=first_uses)
    if is_level(meter, holding.pool.definition.terms):
        del stretches[:-1]
    return PoolCount(holding=holding, meter=meter, stretches=tuple(stretches), now=now)


def questions(count: PoolCount, subscription_ids: Sequence[UUID]) -> list[UsageWindow]:
    """What to ask: of each segment in turn what each subscription used of it. At the end, where only
    what has occurred counts, what was told of the time to come.
    """
    spans = [span for stretch in count.stretches for span in _spans(count, stretch)]
    if count.is_level or count.is_unused:
        coming = count.now + _INSTANT
        spans.append((coming, max(count.stretches[-1].ends_at, coming + _INSTANT)))
    window = count.stretches[-1].window
    whole = (window.end or count.now + _INSTANT) - window.start
    return [
        UsageWindow(
            key=number * len(subscription_ids) + place,
            subscription_id=subscription_id,
            meter=count.holding.pool.definition.meter,
            start=start,
            end=end,
            period=whole if count.is_level else None,
        )
        for number, (start, end) in enumerate(spans)
        for place, subscription_id in enumerate(subscription_ids)
    ]


def _spans(count: PoolCount, stretch: Stretch) -> list[tuple[datetime, datetime]]:
    start, end = stretch.window.start, count.now + _INSTANT
    if count.is_level:
        reset = count.holding.pool.definition.terms.reset
        slides = reset.kind is ResetKind.SLIDING_WINDOW and reset.window is not None
        return [(end - reset.window if slides and reset.window else start, end)]
    segments = stretch.segments
    if count.is_unused and not stretch.is_over:
        segments[-1] = (segments[-1][0], end)
    if count.meter.rounding is None:
        return segments
    # A part is not rounded for itself: what the whole comes to is rounded, and told part by part.
    return [(start, until) for _, until in segments]


def brought_up(
    count: PoolCount,
    answers: Sequence[Used | None],
    *,
    subscriptions: int,
    total: UsageTotal,
) -> CountedPool:
    """A pool as it stands, by the answers in the order of the questions. Of several subscriptions, all
    count.
    """
    amounts = [
        sum((one.quantity for one in answers[first : first + subscriptions] if one), _NOTHING)
        for first in range(0, len(answers), max(subscriptions, 1))
    ]
    holding, used = _settled(count, amounts)
    terms = holding.pool.definition.terms
    counting = counting_of(count.meter, terms)
    if count.is_unused:
        counting = Counting.RECOUNT
    pool = replaced(holding.pool, event_type=count.meter.event_type, counting=counting)
    foresees = (count.is_level or count.is_unused) and _is_foreseen(answers, subscriptions)
    if foresees or not count.is_followed:
        counted = NOTHING_COUNTED
    else:
        counted = counted_at(total, counting=counting, used=used)
    return CountedPool(replaced(holding, pool=pool, counted=counted), used)


def _is_foreseen(answers: Sequence[Used | None], subscriptions: int) -> bool:
    return any(answers[len(answers) - subscriptions :])


def _settled(count: PoolCount, amounts: Sequence[Decimal]) -> tuple[Holding, Decimal]:
    if count.is_level:
        used = amounts[0] if amounts else _NOTHING
        return leveled(count.holding, count.stretches[-1].window, now=count.now), used
    usage: list[list[Decimal]] = []
    first = 0
    for stretch in count.stretches:
        size = len(stretch.cuts)
        parts = list(amounts[first : first + size]) or [_NOTHING] * size
        if count.meter.rounding is not None:
            parts = [part - before for before, part in zip([_NOTHING, *parts], parts, strict=False)]
        usage.append(parts)
        first += size
    return settled(count.holding, stretches=count.stretches, usage=usage), usage[-1][-1]
