"""Which deliveries follow from what has happened?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta

from billwright.features.webhooks.model import Endpoint
from billwright.features.webhooks.rules.subscribed import is_new, is_told
from billwright.features.webhooks.sql.reads import is_anything_new
from billwright.features.webhooks.sql.reads_events import events_between, settled_position
from billwright.features.webhooks.sql.writes import (
    insert_deliveries,
    lock_endpoints_behind,
    replay_deliveries,
    update_endpoint_row,
)
from billwright.runtime.db.tx import Tx

DISPATCH_WEBHOOKS = "dispatch_webhooks"
_BATCH_SIZE = 1000


def wake_dispatch(tx: Tx) -> None:
    """Ask for what has happened to be sent, once a second and tenant however much happens.

    A key without the second would be held by a job that runs already and looks for nothing more.
    """
    second = tx.machine_now.replace(microsecond=0).isoformat()
    tx.enqueue(
        DISPATCH_WEBHOOKS,
        None,
        delay=timedelta(seconds=1),
        dedupe_key=f"{DISPATCH_WEBHOOKS}:{tx.tenant_id}:{second}",
    )


async def fan_out_events(open_tx: Callable[[], AbstractAsyncContextManager[Tx]]) -> int:
    """Make a delivery of every new event for every endpoint that is told of it, batch by batch; returns
    how many. Only of what is final in the log, so that a batch is never looked at too early.
    """
    async with open_tx() as tx:
        if not await is_anything_new(tx):
            return 0
    async with open_tx() as tx:
        until = await settled_position(tx)
    made = 0
    while True:
        async with open_tx() as tx:
            behind = await lock_endpoints_behind(tx, until)
            if not behind:
                return made
            made += await _fan_out(tx, behind, until=until)
            for endpoint in behind:
                made += await _replay(tx, endpoint)


async def _fan_out(tx: Tx, endpoints: list[Endpoint], *, until: int) -> int:
    """The next batch of the log behind the endpoint that is furthest back."""
    after = min(endpoint.fanned_out_to for endpoint in endpoints)
    events = await events_between(tx, after=after, until=until, limit=_BATCH_SIZE)
    looked_to = events[-1].position if len(events) == _BATCH_SIZE else until
    made = 0
    for index, endpoint in enumerate(endpoints):
        told = [event for event in events if is_new(endpoint, event) and is_told(endpoint, event)]
        made += await insert_deliveries(tx, told, endpoint_id=endpoint.id)
        if looked_to > endpoint.fanned_out_to:
            endpoints[index] = replace(endpoint, fanned_out_to=looked_to)
            await update_endpoint_row(tx, endpoints[index])
    return made


async def _replay(tx: Tx, endpoint: Endpoint) -> int:
    """The next batch of what is to be sent to an endpoint again."""
    replay = endpoint.replay
    if replay is None:
        return 0
    events = await events_between(tx, after=replay.after, until=replay.until, limit=_BATCH_SIZE)
    told = [event for event in events if event.id >= replay.since and is_told(endpoint, event)]
    made = await replay_deliveries(tx, told, endpoint_id=endpoint.id, scope=replay.scope)
    left = replace(replay, after=events[-1].position) if len(events) == _BATCH_SIZE else None
    await update_endpoint_row(tx, replace(endpoint, replay=left))
    return made
