"""How do pools stand now?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billwright.features.entitlements.operations.count_pools import count_pools
from billwright.features.entitlements.rules.counting import used_since
from billwright.features.entitlements.rules.pool import Holding, PoolKey, key_of
from billwright.features.entitlements.rules.pool_count import CountedPool
from billwright.features.entitlements.rules.standing import Standing, standing_of
from billwright.features.entitlements.sql.reads_pools import allotments_of, pools_at, reserved_of
from billwright.features.entitlements.sql.writes_pools import lock_pools, store_holdings
from billwright.features.usage.model import TotalKey
from billwright.features.usage.sql.reads_totals import usage_totals
from billwright.kernel.quick import replaced
from billwright.runtime.db.tx import Tx

_NOTHING = Decimal(0)


async def settle_pools(
    tx: Tx, pool_ids: Collection[UUID], *, now: datetime | None = None
) -> dict[UUID, Standing]:
    """Bring pools up to `now`, which is the transaction's instant unless another is given: usage is
    counted and taken from what the pools held when it occurred, and windows that have ended end. The
    pools are held until the commit. Pools that do not exist or are closed are absent.
    """
    if not pool_ids:
        return {}
    at = now or tx.now
    settled = await settle_held(tx, await lock_pools(tx, pool_ids), now=at)
    return await standings_of(tx, settled, now=at)


async def settle_held(tx: Tx, holdings: Sequence[Holding], *, now: datetime) -> list[CountedPool]:
    """Likewise for pools that are held already, with all that belongs to each."""
    allotments = await allotments_of(tx, [one.pool.id for one in holdings])
    full = [replaced(one, allotments=tuple(allotments.get(one.pool.id, ()))) for one in holdings]
    counted = await count_pools(tx, full, now=now)
    await store_holdings(tx, before=full, after=[one.holding for one in counted])
    return counted


async def current_pools(
    tx: Tx, keys: Collection[PoolKey], *, now: datetime | None = None, held: bool = False
) -> dict[PoolKey, Standing]:
    """How the pools at these places stand; settled where that is needed. A place without a pool is
    absent. When they are to be `held`, nobody else reserves anything of them until the commit.
    """
    if not keys:
        return {}
    at = now or tx.now
    found = await pools_at(tx, keys)
    if held:
        pools = await lock_pools(tx, [one.pool.id for one in found.values()])
        found = {key_of(one.pool.definition): one for one in pools}
    counted = await _still_right(tx, list(found.values()), now=at)
    known = await standings_of(tx, counted, now=at)
    stale = [one.pool.id for one in found.values() if one.pool.id not in known]
    known |= await settle_pools(tx, stale, now=at)
    return {key: known[one.pool.id] for key, one in found.items() if one.pool.id in known}


async def standings_of(
    tx: Tx, counted: Sequence[CountedPool], *, now: datetime
) -> dict[UUID, Standing]:
    """How pools stand beside what is held of them."""
    ids = [one.holding.pool.id for one in counted]
    reserved: Mapping[UUID, Decimal] = await reserved_of(tx, ids, now=now) if ids else {}
    return {
        one.holding.pool.id: standing_of(
            one.holding.pool,
            used_of_segment=one.used_of_segment,
            reserved=reserved.get(one.holding.pool.id, _NOTHING),
        )
        for one in counted
    }


async def _still_right(tx: Tx, holdings: Sequence[Holding], *, now: datetime) -> list[CountedPool]:
    """Those of the pools that need not be settled."""
    lasting = [
        one
        for one in holdings
        if one.counted.revision is not None
        and (one.pool.valid_until is None or now < one.pool.valid_until)
    ]
    totals = await usage_totals(tx, [_key(one) for one in lasting]) if lasting else {}
    right = []
    for one in lasting:
        used = used_since(one.counted, counting=one.pool.counting, total=totals[_key(one)])
        if used is not None:
            right.append(CountedPool(one, used))
    return right


def _key(holding: Holding) -> TotalKey:
    definition = holding.pool.definition
    return TotalKey(definition.account_id, holding.pool.event_type, definition.subscription_id)
