"""How much is left of grants?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billwright.features.entitlements.operations.count_pools import meters_of
from billwright.features.entitlements.operations.settle_pools import current_pools
from billwright.features.entitlements.rules.counting import is_level
from billwright.features.entitlements.rules.pool import PoolKey, is_alive
from billwright.features.entitlements.rules.pool_settling import balances_now
from billwright.features.entitlements.sql.reads_grants import KeptGrant
from billwright.features.entitlements.sql.reads_pools import allotments_of
from billwright.runtime.db.tx import Tx

_NOTHING = Decimal(0)


async def measure_grants(tx: Tx, grants: Sequence[KeptGrant]) -> dict[UUID, Decimal]:
    """What each grant has left at its account's time, never below zero; of one that is over, what it
    had left then.
    """
    by_time: dict[datetime, set[PoolKey]] = defaultdict(set)
    for one in grants:
        if is_alive(one.allotment, one.now):
            by_time[one.now].add(
                PoolKey(one.allotment.account_id, one.feature, one.subscription_id)
            )
    left = {one.allotment.id: one.allotment.balance or _NOTHING for one in grants}
    for now, keys in by_time.items():
        standings = (await current_pools(tx, keys, now=now)).values()
        allotments = await allotments_of(tx, [each.pool.id for each in standings])
        meters = await meters_of(tx, [each.pool.definition.meter for each in standings])
        for each in standings:
            definition = each.pool.definition
            # Nothing is taken from a level.
            if not is_level(meters[definition.meter], definition.terms):
                used = each.used - each.pool.used_before
                balances = balances_now(
                    each.pool, allotments.get(each.pool.id, []), used_of_segment=used
                )
                left |= {key: balances[key] for key in left.keys() & balances.keys()}
    return {key: max(amount, _NOTHING) for key, amount in left.items()}
