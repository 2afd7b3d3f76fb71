"""How do events reach one endpoint?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from billwright.features.webhooks.model import (
    Attempt,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointId,
    LoggedEvent,
    WebhookAnswer,
)
from billwright.features.webhooks.operations.disable_endpoint import disable_endpoint
from billwright.features.webhooks.operations.endpoint_secrets import resealed, signing_secrets
from billwright.features.webhooks.operations.written_event import written_event
from billwright.features.webhooks.port import WebhookMessage, WebhookSender
from billwright.features.webhooks.rules.health import at_a_time, disabled_by, health_after
from billwright.features.webhooks.rules.next_attempt import next_attempt_at
from billwright.features.webhooks.sql.reads import due_deliveries
from billwright.features.webhooks.sql.reads_events import events_by_id
from billwright.features.webhooks.sql.writes import (
    insert_attempts,
    lock_endpoint,
    occupy_endpoint,
    record_deliveries,
    release_endpoint,
    update_endpoint_row,
)
from billwright.kernel.ids import new_id
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import Tx
from billwright.runtime.secrets import SecretBox

# Longer than a batch may take, whose messages leave side by side.
_BUSY_FOR = timedelta(minutes=2)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Letter:
    """What goes to an endpoint, and the delivery that it is of."""

    delivery: Delivery
    message: WebhookMessage


async def deliver_to_endpoint(
    open_tx: Callable[[], AbstractAsyncContextManager[Tx]],
    endpoint_id: EndpointId,
    *,
    sender: WebhookSender,
    box: SecretBox,
) -> int:
    """Send an endpoint one batch of what is due, outside any transaction, and record what it answered.

    Returns how many events were sent; none when nothing is due, the endpoint rests, or somebody else is
    sending there: one at a time does, so that the events of one subject arrive one after the other.
    """
    async with open_tx() as tx:
        letters = await _letters(tx, endpoint_id, box=box)
        now = tx.now
    if not letters:
        return 0
    answers = await asyncio.gather(*(sender.send(letter.message) for letter in letters))
    async with open_tx() as tx:
        await _record(tx, endpoint_id, letters=letters, answers=answers, sent_at=now)
    return len(letters)


async def _letters(tx: Tx, endpoint_id: EndpointId, *, box: SecretBox) -> list[_Letter]:
    endpoint = await occupy_endpoint(tx, endpoint_id, busy_until=tx.now + _BUSY_FOR)
    if endpoint is None:
        return []
    due = await due_deliveries(tx, endpoint.id, limit=at_a_time(endpoint.health))
    if not due:
        await release_endpoint(tx, endpoint.id)
        return []
    sealed = resealed(endpoint, tenant_id=tx.tenant_id, box=box)
    if sealed is not None:
        await update_endpoint_row(tx, replace(endpoint, secret_sealed=sealed))
    events = await events_by_id(tx, [delivery.event_id for delivery in due])
    secrets = signing_secrets(endpoint, tenant_id=tx.tenant_id, box=box, now=tx.now)
    return [
        _Letter(
            delivery, _message(endpoint, events[delivery.event_id], secrets=secrets, now=tx.now)
        )
        for delivery in due
    ]


def _message(
    endpoint: Endpoint, event: LoggedEvent, *, secrets: tuple[str, ...], now: datetime
) -> WebhookMessage:
    return WebhookMessage(
        id=str(event.id),
        url=endpoint.url,
        body=written_event(event, endpoint.api_version),
        secrets=secrets,
        sent_at=now,
    )


async def _record(
    tx: Tx,
    endpoint_id: EndpointId,
    *,
    letters: Sequence[_Letter],
    answers: Sequence[WebhookAnswer],
    sent_at: datetime,
) -> None:
    answered = list(zip([letter.delivery for letter in letters], answers, strict=True))
    await insert_attempts(tx, [_attempt(one, answer, sent_at=sent_at) for one, answer in answered])
    await release_endpoint(tx, endpoint_id)
    await record_deliveries(tx, [_outcome(one, answer, now=tx.now) for one, answer in answered])
    try:
        endpoint = await lock_endpoint(tx, endpoint_id)
    except Refusal:
        return  # it was deleted meanwhile
    health = health_after(endpoint.health, answers, now=tx.now)
    if health != endpoint.health:
        await update_endpoint_row(tx, replace(endpoint, health=health))
    reason = disabled_by(health, answers, now=tx.now)
    if reason is not None:
        _log.warning("webhook endpoint disabled", endpoint_id=str(endpoint_id), reason=reason)
        await disable_endpoint(tx, endpoint_id, reason=reason)


def _outcome(delivery: Delivery, answer: WebhookAnswer, *, now: datetime) -> Delivery:
    attempts = delivery.attempts + 1
    if answer.is_accepted:
        return replace(
            delivery, state=DeliveryState.DELIVERED, attempts=attempts, next_attempt_at=None
        )
    again_at = next_attempt_at(
        delivery.event_id,
        attempts=attempts,
        now=now,
        wished_seconds=answer.retry_after_seconds,
    )
    state = DeliveryState.FAILED if again_at is None else DeliveryState.PENDING
    return replace(delivery, state=state, attempts=attempts, next_attempt_at=again_at)


def _attempt(delivery: Delivery, answer: WebhookAnswer, *, sent_at: datetime) -> Attempt:
    return Attempt(
        id=new_id(),
        endpoint_id=delivery.endpoint_id,
        event_id=delivery.event_id,
        event_type=delivery.event_type,
        number=delivery.attempts + 1,
        sent_at=sent_at,
        duration_ms=answer.duration_ms,
        status=answer.status,
        error=answer.error,
        answer=answer.text,
    )
