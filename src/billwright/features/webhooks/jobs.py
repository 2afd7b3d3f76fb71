"""When are systems told what has happened?"""

from __future__ import annotations

from functools import partial

import structlog

from billwright.features.webhooks.model import EndpointId
from billwright.features.webhooks.operations.deliver_to_endpoint import deliver_to_endpoint
from billwright.features.webhooks.operations.fan_out_events import (
    DISPATCH_WEBHOOKS,
    fan_out_events,
    wake_dispatch,
)
from billwright.features.webhooks.operations.forget_deliveries import forget_deliveries
from billwright.features.webhooks.port import WebhookSender
from billwright.features.webhooks.sql.reads import endpoints_with_due_deliveries
from billwright.kernel.ids import TenantId
from billwright.runtime.queue.registry import Job, Sweep, Work
from billwright.runtime.secrets import SecretBox, SecretUnreadable
from billwright.runtime.together import together

# Endpoints may be slow. However many are, most places for jobs of this process stay free for others.
_TENANTS_AT_A_TIME = 4
_ENDPOINTS_AT_A_TIME = 10
_BATCHES_IN_A_ROW = 20

_log = structlog.get_logger(__name__)

# The tenants for which this process is sending, and whether that was asked for again meanwhile.
_under_way: dict[TenantId, bool] = {}


async def dispatch_due_webhooks(work: Work) -> int:
    """Send what is due to every endpoint of a tenant; returns how many events were sent.

    One run per process and tenant does it; who comes while it lasts has it begin anew.
    """
    if work.tenant_id in _under_way:
        _under_way[work.tenant_id] = True
        return 0
    if len(_under_way) >= _TENANTS_AT_A_TIME:
        return 0
    sent, _under_way[work.tenant_id] = 0, True
    try:
        while _under_way[work.tenant_id]:
            _under_way[work.tenant_id] = False
            sent += await _dispatch(work)
    finally:
        del _under_way[work.tenant_id]
    return sent


async def dispatch_webhooks(work: Work, _payload: None) -> None:
    """Send what has just happened."""
    await dispatch_due_webhooks(work)


async def forget_old_webhook_deliveries(work: Work) -> int:
    """Forget what was sent long ago; returns how many rows that were."""
    forgotten = 0
    while True:
        async with work.tx() as tx:
            batch = await forget_deliveries(tx)
        if not batch:
            return forgotten
        forgotten += batch


async def _dispatch(work: Work) -> int:
    await fan_out_events(work.tx)
    sender: WebhookSender | None = work.providers.get(WebhookSender)
    if sender is None:
        return 0
    async with work.tx() as tx:
        endpoint_ids = await endpoints_with_due_deliveries(tx)
    batches = await together(
        partial(_deliver, work, sender=sender), endpoint_ids, at_a_time=_ENDPOINTS_AT_A_TIME
    )
    return sum(batches)


async def _deliver(work: Work, endpoint_id: EndpointId, *, sender: WebhookSender) -> int:
    """Send an endpoint some batches in a row; what is left then gets a turn of its own."""
    box, sent = work.provider(SecretBox), 0
    for _ in range(_BATCHES_IN_A_ROW):
        try:
            batch = await deliver_to_endpoint(work.tx, endpoint_id, sender=sender, box=box)
        except SecretUnreadable as reason:
            _log.error(
                "webhook secret unreadable", endpoint_id=str(endpoint_id), reason=str(reason)
            )
            return sent
        if not batch:
            return sent
        sent += batch
    async with work.tx() as tx:
        wake_dispatch(tx)
    return sent


JOBS = [Job(name=DISPATCH_WEBHOOKS, run=dispatch_webhooks)]

SWEEPS = [
    Sweep(name="dispatch_due_webhooks", cron="* * * * *", run=dispatch_due_webhooks),
    Sweep(
        name="forget_old_webhook_deliveries", cron="23 * * * *", run=forget_old_webhook_deliveries
    ),
]
