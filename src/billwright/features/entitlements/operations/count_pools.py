"""What was used of what pools hold?

All pools are counted together: one query asks for the usage of all their segments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from billwright.features.entitlements.rules.pool import Holding
from billwright.features.entitlements.rules.pool_count import (
    CountedPool,
    PoolCount,
    begins_with_use,
    brought_up,
    planned,
    questions,
)
from billwright.features.usage.model import MeterDefinition, TotalKey, UsageTotal, UsageWindow
from billwright.features.usage.operations.hold_totals import hold_totals
from billwright.features.usage.sql.reads import used_quantities
from billwright.features.usage.sql.reads_first_uses import UseWindows, first_uses
from billwright.features.usage.sql.reads_meters import meter_versions
from billwright.features.usage.sql.reads_totals import subscriptions_of
from billwright.runtime.db.tx import Tx

_INSTANT = timedelta(microseconds=1)
_NOTHING = UsageTotal(quantity=Decimal(0), events=0, revision=0)


async def meters_of(tx: Tx, codes: Sequence[str]) -> dict[str, MeterDefinition]:
    """By what is counted from now on, by the code of the meter."""
    known = await meter_versions(tx, {(code, None) for code in codes})
    return {
        code: known[code, None].definition
        if (code, None) in known
        else MeterDefinition(event_type=code)
        for code in codes
    }


async def count_pools(tx: Tx, holdings: Sequence[Holding], *, now: datetime) -> list[CountedPool]:
    """Bring pools, which are held with all that belongs to them, up to an instant, in a constant number
    of queries.
    """
    if not holdings:
        return []
    meters = await meters_of(tx, [one.pool.definition.meter for one in holdings])
    counts = await _plan(tx, holdings, meters=meters, now=now)
    totals = await _hold(tx, [(one.key, one.since) for one in counts if one.is_followed])
    found = await subscriptions_of(tx, [one.key for one in counts])
    asked: list[UsageWindow] = []
    firsts = []
    for count in counts:
        firsts.append(len(asked))
        asked += [
            replace(one, key=one.key + firsts[-1])
            for one in questions(count, found.get(count.key, ()))
        ]
    used = await used_quantities(tx, asked, cutoff=None) if asked else {}
    answers = [used.get(number) for number in range(len(asked))]
    return [
        brought_up(
            count,
            answers[first:until],
            subscriptions=len(found.get(count.key, ())),
            total=totals.get(count.key, _NOTHING),
        )
        for count, first, until in zip(counts, firsts, [*firsts[1:], len(asked)], strict=True)
    ]


async def _plan(
    tx: Tx,
    holdings: Sequence[Holding],
    *,
    meters: Mapping[str, MeterDefinition],
    now: datetime,
) -> list[PoolCount]:
    uses: Mapping[int, list[datetime]] = {}
    if any(begins_with_use(one) for one in holdings):
        # Held before, so that no use that came earlier becomes known after the window has begun.
        keys = [_key(one, meters) for one in holdings]
        starts = [one.pool.window_start for one in holdings]
        await _hold(tx, list(zip(keys, starts, strict=True)))
        found = await subscriptions_of(tx, keys)
        uses = await first_uses(tx, _use_windows(holdings, meters, found=found, now=now))
    return [
        planned(one, meters[one.pool.definition.meter], now=now, first_uses=uses.get(number, ()))
        for number, one in enumerate(holdings)
    ]


def _key(holding: Holding, meters: Mapping[str, MeterDefinition]) -> TotalKey:
    definition = holding.pool.definition
    event_type = meters[definition.meter].event_type
    return TotalKey(definition.account_id, event_type, definition.subscription_id)


def _use_windows(
    holdings: Sequence[Holding],
    meters: Mapping[str, MeterDefinition],
    *,
    found: Mapping[TotalKey, Sequence[UUID]],
    now: datetime,
) -> list[UseWindows]:
    return [
        UseWindows(
            key=number,
            subscription_ids=found.get(_key(one, meters), ()),
            definition=meters[one.pool.definition.meter],
            start=one.pool.window_end or one.pool.window_start,
            end=now + _INSTANT,
            length=length,
        )
        for number, one in enumerate(holdings)
        if begins_with_use(one) and (length := one.pool.definition.terms.reset.window)
    ]


async def _hold(tx: Tx, since: Sequence[tuple[TotalKey, datetime]]) -> dict[TotalKey, UsageTotal]:
    latest: dict[TotalKey, datetime] = {}
    for key, instant in since:
        latest[key] = max(latest.get(key, instant), instant)
    return await hold_totals(tx, latest) if latest else {}
