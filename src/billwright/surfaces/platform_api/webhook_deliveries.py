"""How does a platform see what was sent to its systems, and have it sent again?"""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from billwright.features.webhooks import model
from billwright.features.webhooks.errors import (
    event_unknown,
    webhook_endpoint_disabled,
    webhook_endpoint_unknown,
    webhook_replay_running,
    webhook_replay_too_old,
)
from billwright.features.webhooks.operations import replay_events as replaying
from billwright.features.webhooks.sql.reads import endpoint_by_id, list_attempts, list_deliveries
from billwright.features.webhooks.sql.reads_events import event_by_id
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.platform_api.webhook_models import (
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookReplayInput,
    from_replay_request,
    to_attempt,
    to_delivery,
    to_response,
)
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters

router = APIRouter(tags=["webhooks"])

_DELIVERIES = Listing("webhook_deliveries", tuple[UUID])
_ATTEMPTS = Listing("webhook_attempts", tuple[UUID])


@router.get(
    "/webhook-endpoints/{webhook_endpoint_id}/deliveries",
    summary="List the deliveries to a webhook endpoint",
    responses=refusals.of_listing(webhook_endpoint_unknown),
)
async def list_webhook_deliveries(
    reader: Reader,
    webhook_endpoint_id: UUID,
    page: PageParameters,
    state: model.DeliveryState | None = None,
) -> Page[WebhookDelivery]:
    """The newest event first; they are kept for 30 days."""
    filters = {"webhook_endpoint_id": webhook_endpoint_id, "state": state}
    after = _DELIVERIES.after(page, filters=filters)
    async with reader.tx() as tx:
        endpoint = await endpoint_by_id(tx, webhook_endpoint_id)
        deliveries = await list_deliveries(
            tx,
            endpoint.id,
            before=after[0] if after else None,
            limit=page.limit + 1,
            state=state,
        )
    return _DELIVERIES.page(
        deliveries,
        page,
        filters=filters,
        key=lambda delivery: (delivery.event_id,),
        to_response=to_delivery,
    )


@router.get(
    "/webhook-endpoints/{webhook_endpoint_id}/attempts",
    summary="List what was sent to a webhook endpoint",
    responses=refusals.of_listing(webhook_endpoint_unknown),
)
async def list_webhook_attempts(
    reader: Reader, webhook_endpoint_id: UUID, page: PageParameters
) -> Page[WebhookAttempt]:
    """Newest first; they are kept for 30 days."""
    filters = {"webhook_endpoint_id": webhook_endpoint_id}
    after = _ATTEMPTS.after(page, filters=filters)
    async with reader.tx() as tx:
        endpoint = await endpoint_by_id(tx, webhook_endpoint_id)
        attempts = await list_attempts(
            tx,
            before=after[0] if after else None,
            limit=page.limit + 1,
            endpoint_id=endpoint.id,
        )
    return _ATTEMPTS.page(
        attempts, page, filters=filters, key=lambda one: (one.id,), to_response=to_attempt
    )


@router.get(
    "/events/{event_id}/webhook-attempts",
    summary="List how an event was sent",
    responses=refusals.of_listing(event_unknown),
)
async def list_event_webhook_attempts(
    reader: Reader, event_id: UUID, page: PageParameters
) -> Page[WebhookAttempt]:
    """Newest first, to whichever endpoint; they are kept for 30 days."""
    filters = {"event_id": event_id}
    after = _ATTEMPTS.after(page, filters=filters)
    async with reader.tx() as tx:
        event = await event_by_id(tx, event_id)
        attempts = await list_attempts(
            tx,
            before=after[0] if after else None,
            limit=page.limit + 1,
            event_id=event.id,
        )
    return _ATTEMPTS.page(
        attempts, page, filters=filters, key=lambda one: (one.id,), to_response=to_attempt
    )


@router.post(
    "/webhook-endpoints/{webhook_endpoint_id}/deliveries/{event_id}/replay",
    status_code=202,
    response_class=Response,
    summary="Send an event to a webhook endpoint again",
    responses=refusals.of_writing(
        webhook_endpoint_unknown, webhook_endpoint_disabled, event_unknown
    ),
)
async def replay_webhook_delivery(
    writer: Writer, webhook_endpoint_id: UUID, event_id: UUID, idempotent: Idempotent
) -> Response:
    """Under the event's own id, whether it was delivered before, given up, or never sent there."""

    async def replay(tx: Tx) -> None:
        await replaying.replay_event(tx, webhook_endpoint_id, event_id=event_id)

    return await once(writer.tx(), idempotent, work=replay)


@router.post(
    "/webhook-endpoints/{webhook_endpoint_id}/replay",
    status_code=202,
    response_model=WebhookEndpoint,
    summary="Send a part of the event log again",
    responses=refusals.of_writing(
        webhook_endpoint_unknown,
        webhook_endpoint_disabled,
        webhook_replay_running,
        webhook_replay_too_old,
    ),
)
async def replay_webhook_events(
    writer: Writer, webhook_endpoint_id: UUID, body: WebhookReplayInput, idempotent: Idempotent
) -> Response:
    """What the endpoint is told of, from an instant to now. It happens in the background."""

    async def replay(tx: Tx) -> WebhookEndpoint:
        command = from_replay_request(body, webhook_endpoint_id)
        return to_response(await replaying.replay_since(tx, command))

    return await once(writer.tx(), idempotent, work=replay)
