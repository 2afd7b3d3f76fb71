"""What do webhooks do when anything happens?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from billwright.features.webhooks.operations.fan_out_events import wake_dispatch
from billwright.features.webhooks.sql.reads import is_anybody_listening
from billwright.kernel.event import Event
from billwright.runtime.db.tx import Tx
from billwright.runtime.queue.registry import Consequence


async def wake_if_anybody_listens(tx: Tx, _events: Sequence[Any]) -> None:
    """Have it sent soon. Where nobody listens, that costs one look at a short list."""
    if await is_anybody_listening(tx):
        wake_dispatch(tx)


CONSEQUENCES = [Consequence("wake_webhooks", Event, wake_if_anybody_listens)]
