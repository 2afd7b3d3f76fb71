"""How does somebody follow what happens, without missing anything?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from billwright.features.webhooks.model import EventPage, EventQuery
from billwright.features.webhooks.sql.reads_events import read_events, settled_position
from billwright.runtime.db.tx import Tx


async def read_event_log(
    open_tx: Callable[[], AbstractAsyncContextManager[Tx]], query: EventQuery
) -> EventPage:
    """The events behind a place in the log, in order, none of which can be preceded by one that is
    committed later. The first of two transactions only closes the gate of the log for a moment.
    """
    async with open_tx() as tx:
        until = await settled_position(tx)
    async with open_tx() as tx:
        return await read_events(tx, query, until=until)
