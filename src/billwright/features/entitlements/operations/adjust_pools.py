"""What may accounts use of metered features, after what gives them has changed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from billwright.features.entitlements.model import Counting, Pool, PoolDefinition
from billwright.features.entitlements.operations.count_pools import count_pools, meters_of
from billwright.features.entitlements.rules.counting import counting_of
from billwright.features.entitlements.rules.pool import Holding, PoolKey, is_alive, key_of
from billwright.features.entitlements.rules.pool_change import allowance_from, cut_for, redefined
from billwright.features.entitlements.rules.pool_count import begins_with_use
from billwright.features.entitlements.rules.pool_settling import is_over, moved_on, needs_past
from billwright.features.entitlements.rules.pool_window import first_window
from billwright.features.entitlements.sql.reads_pools import allotments_of
from billwright.features.entitlements.sql.writes_pools import lock_pools_of, store_holdings
from billwright.features.usage.model import MeterDefinition
from billwright.kernel.ids import new_id
from billwright.kernel.quick import replaced
from billwright.runtime.db.tx import Tx

_NOTHING = Decimal(0)


async def adjust_pools(
    tx: Tx, definitions: Sequence[PoolDefinition], *, account_ids: Sequence[UUID]
) -> None:
    """Let all pools of these accounts be as they are defined, from this instant on. The accounts are
    locked.

    A pool that is not defined any more is closed unless it has grants. One that is defined as it was is
    left as it is.
    """
    kept = {key_of(one.pool.definition): one for one in await lock_pools_of(tx, account_ids)}
    wanted = {key_of(one): one for one in definitions}
    if not kept and not wanted:
        return
    meters = await meters_of(tx, [one.meter for one in (*wanted.values(), *_defined(kept))])
    changed = [
        one for key, one in kept.items() if _differs(one.pool, wanted.get(key), meters=meters)
    ]
    allotments = await allotments_of(tx, [one.pool.id for one in changed])
    before = [replaced(one, allotments=tuple(allotments.get(one.pool.id, ()))) for one in changed]
    after = await _redefine(tx, before, wanted=wanted, meters=meters)
    new = [one for key, one in wanted.items() if key not in kept]
    after += [new_pool(tx, one, meter=meters[one.meter]) for one in new]
    await store_holdings(tx, before=before, after=after)


def _defined(kept: Mapping[PoolKey, Holding]) -> list[PoolDefinition]:
    return [one.pool.definition for one in kept.values()]


def _differs(
    pool: Pool, definition: PoolDefinition | None, *, meters: Mapping[str, MeterDefinition]
) -> bool:
    if definition is None:
        return pool.closed_at is None
    meter = meters[definition.meter]
    counting = counting_of(meter, definition.terms)
    # How the events themselves are counted, nothing tells but a count.
    return (
        pool.closed_at is not None
        or pool.definition != definition
        or (pool.event_type, pool.counting) != (meter.event_type, counting)
        or counting is Counting.RECOUNT
    )


async def _redefine(
    tx: Tx,
    holdings: Sequence[Holding],
    *,
    wanted: Mapping[PoolKey, PoolDefinition],
    meters: Mapping[str, MeterDefinition],
) -> list[Holding]:
    """The pools as they are defined now, in windows that have not ended."""
    definitions = [
        wanted.get(key_of(one.pool.definition)) or replaced(one.pool.definition, allowances=())
        for one in holdings
    ]
    cut = [
        cut_for(one, definition, now=tx.now)
        for one, definition in zip(holdings, definitions, strict=True)
    ]
    current = await _move_on(tx, cut)
    return [
        _defined_anew(
            tx,
            replaced(one, pool=replaced(one.pool, definition=before.pool.definition)),
            definition=definition,
            meter=meters[definition.meter],
            is_given=key_of(definition) in wanted,
        )
        for one, before, definition in zip(current, holdings, definitions, strict=True)
    ]


async def _move_on(tx: Tx, holdings: Sequence[Holding]) -> list[Holding]:
    """The pools in their running windows. Only where those that have ended leave something behind is
    counted what was used of them.
    """
    counted = [
        one
        for one in holdings
        if is_over(one, tx.now) and (needs_past(one) or begins_with_use(one))
    ]
    moved = {one.holding.pool.id: one.holding for one in await count_pools(tx, counted, now=tx.now)}
    return [moved.get(one.pool.id) or moved_on(one, now=tx.now) for one in holdings]


def _defined_anew(
    tx: Tx,
    holding: Holding,
    *,
    definition: PoolDefinition,
    meter: MeterDefinition,
    is_given: bool,
) -> Holding:
    adjusted = redefined(holding, definition, now=tx.now, new_id=new_id)
    is_kept = is_given or any(is_alive(one, tx.now) for one in holding.grants)
    return Holding(
        pool=replaced(
            adjusted.pool,
            event_type=meter.event_type,
            counting=counting_of(meter, definition.terms),
            closed_at=None if is_kept else tx.now,
        ),
        allotments=adjusted.allotments,
    )


def new_pool(tx: Tx, definition: PoolDefinition, *, meter: MeterDefinition) -> Holding:
    """A pool with all that is given from the beginning of the window on in which it begins to count,
    which may have begun before.
    """
    window = first_window(definition, tx.now)
    empty = Pool(
        id=new_id(),
        definition=replaced(definition, allowances=()),
        event_type=meter.event_type,
        counting=counting_of(meter, definition.terms),
        window_start=window.start,
        window_end=window.end,
        carried=_NOTHING,
        settled_at=window.start,
        valid_until=None,
        available=_NOTHING,
        used_before=_NOTHING,
        overage_before=_NOTHING,
        limit_neared_at=None,
        limit_reached_at=None,
        closed_at=None,
        version=1,
    )
    held = tuple(
        allowance_from(empty, one, at=window.start, now=tx.now, key=new_id())
        for one in definition.allowances
    )
    return Holding(pool=replaced(empty, definition=definition), allotments=held)
