"""When do windows begin that begin with a use?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from billwright.features.usage.model import MeterDefinition
from billwright.features.usage.sql.totals import FIRST_USES
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class UseWindows:
    """A question: when, from `start` up to, but not including, `end`, do windows of whole seconds begin
    of which each begins with the first use after the one before? `key` is the caller's own.
    """

    key: int
    subscription_ids: Sequence[UUID]
    definition: MeterDefinition
    start: datetime
    end: datetime
    length: timedelta


async def first_uses(tx: Tx, asked: Sequence[UseWindows]) -> dict[int, list[datetime]]:
    """The beginnings by key, in order; a key without any is absent."""
    rows = await tx.fetch(
        FIRST_USES,
        tx.tenant_id,
        to_json(
            [
                {
                    "key": one.key,
                    "subscription_ids": one.subscription_ids,
                    "event_type": one.definition.event_type,
                    "aggregation": one.definition.aggregation,
                    "property": one.definition.property,
                    "filters": one.definition.filters,
                    "starts_at": one.start,
                    "ends_at": one.end,
                    "seconds": one.length // timedelta(seconds=1),
                }
                for one in asked
            ]
        ),
        None,
    )
    begun: dict[int, list[datetime]] = defaultdict(list)
    for row in rows:
        begun[row["key"]].append(row["at"])
    return begun
