"""How does somebody count usage and then go on from there?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from billwright.features.usage.model import TotalKey, UsageTotal
from billwright.features.usage.sql.reads_totals import usage_totals
from billwright.features.usage.sql.writes_totals import lock_totals
from billwright.runtime.db.tx import Tx


async def hold_totals(tx: Tx, since: Mapping[TotalKey, datetime]) -> dict[TotalKey, UsageTotal]:
    """The running totals at an instant that whoever counts the events afterwards, in this transaction,
    can go on from: each key with the instant from which its events are counted.

    Who records usage of what is held waits for the commit. Where the revision is still the same later,
    the quantity and the events have grown by exactly what was used since: an event that occurred before
    the instant, one of the future, a correction and a subscription's first event change the revision,
    and then the events are to be counted again.
    """
    await lock_totals(tx, since)
    return await usage_totals(tx, list(since))
