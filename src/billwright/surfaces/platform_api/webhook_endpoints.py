"""How does a platform have its systems told of events?"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from billwright.features.webhooks.errors import (
    webhook_address_private,
    webhook_endpoint_disabled,
    webhook_endpoint_stale,
    webhook_endpoint_unknown,
    webhook_endpoints_too_many,
    webhook_event_type_unknown,
    webhook_url_invalid,
)
from billwright.features.webhooks.operations import create_endpoint as creating
from billwright.features.webhooks.operations import delete_endpoint as deleting
from billwright.features.webhooks.operations import disable_endpoint as disabling
from billwright.features.webhooks.operations import enable_endpoint as enabling
from billwright.features.webhooks.operations import rotate_secret as rotating
from billwright.features.webhooks.operations import update_endpoint as updating
from billwright.features.webhooks.operations.endpoint_secrets import opened_secret
from billwright.features.webhooks.operations.send_test_event import send_test_event
from billwright.features.webhooks.sql.reads import endpoint_by_id, list_endpoints
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Authorized, Reader, Writer
from billwright.surfaces.platform_api.versions import ETAG, IfMatch, etag, version_of, with_etag
from billwright.surfaces.platform_api.webhook_models import (
    WebhookEndpoint,
    WebhookEndpointInput,
    WebhookEndpointUpdateInput,
    WebhookEndpointWithSecret,
    WebhookTest,
    from_request,
    from_update_request,
    to_response,
    with_secret,
)
from billwright.surfaces.web.idempotency import Idempotent, as_it_stands, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import ResponseModel

router = APIRouter(prefix="/webhook-endpoints", tags=["webhooks"])

_LISTING = Listing("webhook_endpoints", tuple[UUID])


class _Named(ResponseModel):
    """What is kept for a repetition: which endpoint it was, and never its secret."""

    id: UUID


@router.post(
    "",
    status_code=201,
    response_model=WebhookEndpointWithSecret,
    summary="Create a webhook endpoint",
    responses={
        201: ETAG,
        **refusals.of_writing(
            webhook_url_invalid,
            webhook_address_private,
            webhook_event_type_unknown,
            webhook_endpoints_too_many,
        ),
    },
)
async def create_webhook_endpoint(
    writer: Writer, body: WebhookEndpointInput, idempotent: Idempotent
) -> Response:
    """It is told of what happens from now on. The secret is in this answer and in no other."""
    wiring = writer.wiring

    async def create(tx: Tx) -> _Named:
        command = from_request(body)
        box, targets = wiring.secret_box, wiring.webhook_targets
        created = await creating.create_endpoint(tx, command, box=box, targets=targets)
        return _Named(id=created.id)

    return await _with_secret(writer, await once(writer.tx(), idempotent, work=create))


@router.get("", summary="List webhook endpoints", responses=refusals.of_listing())
async def list_webhook_endpoints(reader: Reader, page: PageParameters) -> Page[WebhookEndpoint]:
    """Newest first."""
    after = _LISTING.after(page)
    async with reader.tx() as tx:
        endpoints = await list_endpoints(
            tx, before=after[0] if after else None, limit=page.limit + 1
        )
    return _LISTING.page(endpoints, page, key=lambda one: (one.id,), to_response=to_response)


@router.get(
    "/{webhook_endpoint_id}",
    summary="Get a webhook endpoint",
    responses={200: ETAG, **refusals.of_reading(webhook_endpoint_unknown)},
)
async def get_webhook_endpoint(
    reader: Reader, webhook_endpoint_id: UUID, response: Response
) -> WebhookEndpoint:
    async with reader.tx() as tx:
        endpoint = await endpoint_by_id(tx, webhook_endpoint_id)
    response.headers["ETag"] = etag(endpoint.version)
    return to_response(endpoint)


@router.patch(
    "/{webhook_endpoint_id}",
    response_model=WebhookEndpoint,
    summary="Update a webhook endpoint",
    responses={
        200: ETAG,
        **refusals.of_writing(
            webhook_endpoint_unknown,
            webhook_endpoint_stale,
            webhook_url_invalid,
            webhook_address_private,
            webhook_event_type_unknown,
        ),
    },
)
async def update_webhook_endpoint(
    writer: Writer,
    webhook_endpoint_id: UUID,
    body: WebhookEndpointUpdateInput,
    idempotent: Idempotent,
    if_match: IfMatch = None,
) -> Response:
    """What waits to be sent already goes to the new address."""

    async def update(tx: Tx) -> WebhookEndpoint:
        command = from_update_request(body, webhook_endpoint_id)
        command = replace(command, expected_version=version_of(if_match))
        targets = writer.wiring.webhook_targets
        return to_response(await updating.update_endpoint(tx, command, targets=targets))

    return with_etag(await once(writer.tx(), idempotent, work=update))


@router.delete(
    "/{webhook_endpoint_id}",
    status_code=204,
    summary="Delete a webhook endpoint",
    responses=refusals.of_writing(webhook_endpoint_unknown, webhook_endpoint_stale),
)
async def delete_webhook_endpoint(
    writer: Writer,
    webhook_endpoint_id: UUID,
    idempotent: Idempotent,
    if_match: IfMatch = None,
) -> Response:
    """Nothing is sent there any more, nor what waits."""

    async def delete(tx: Tx) -> None:
        await deleting.delete_endpoint(
            tx, webhook_endpoint_id, expected_version=version_of(if_match)
        )

    return await once(writer.tx(), idempotent, work=delete)


@router.post(
    "/{webhook_endpoint_id}/enable",
    response_model=WebhookEndpoint,
    summary="Enable a webhook endpoint",
    responses={
        200: ETAG,
        **refusals.of_writing(webhook_endpoint_unknown, webhook_endpoint_stale),
    },
)
async def enable_webhook_endpoint(
    writer: Writer,
    webhook_endpoint_id: UUID,
    idempotent: Idempotent,
    if_match: IfMatch = None,
) -> Response:
    """It is told of what happens from now on; a replay sends what happened meanwhile."""

    async def enable(tx: Tx) -> WebhookEndpoint:
        return to_response(
            await enabling.enable_endpoint(
                tx, webhook_endpoint_id, expected_version=version_of(if_match)
            )
        )

    return with_etag(await once(writer.tx(), idempotent, work=enable))


@router.post(
    "/{webhook_endpoint_id}/disable",
    response_model=WebhookEndpoint,
    summary="Disable a webhook endpoint",
    responses={
        200: ETAG,
        **refusals.of_writing(webhook_endpoint_unknown, webhook_endpoint_stale),
    },
)
async def disable_webhook_endpoint(
    writer: Writer,
    webhook_endpoint_id: UUID,
    idempotent: Idempotent,
    if_match: IfMatch = None,
) -> Response:
    """Nothing is sent there any more; what waits is canceled."""

    async def disable(tx: Tx) -> WebhookEndpoint:
        return to_response(
            await disabling.disable_endpoint(
                tx, webhook_endpoint_id, expected_version=version_of(if_match)
            )
        )

    return with_etag(await once(writer.tx(), idempotent, work=disable))


@router.post(
    "/{webhook_endpoint_id}/rotate-secret",
    response_model=WebhookEndpointWithSecret,
    summary="Replace the secret of a webhook endpoint",
    responses={
        200: ETAG,
        **refusals.of_writing(webhook_endpoint_unknown, webhook_endpoint_stale),
    },
)
async def rotate_webhook_secret(
    writer: Writer,
    webhook_endpoint_id: UUID,
    idempotent: Idempotent,
    if_match: IfMatch = None,
) -> Response:
    """For 24 hours the former secret signs every message as well."""

    async def rotate(tx: Tx) -> _Named:
        box = writer.wiring.secret_box
        return _Named(
            id=(
                await rotating.rotate_secret(
                    tx, webhook_endpoint_id, box=box, expected_version=version_of(if_match)
                )
            ).id
        )

    return await _with_secret(writer, await once(writer.tx(), idempotent, work=rotate))


@router.post(
    "/{webhook_endpoint_id}/test",
    status_code=202,
    response_model=WebhookTest,
    summary="Send a test event",
    responses=refusals.of_writing(webhook_endpoint_unknown, webhook_endpoint_disabled),
)
async def test_webhook_endpoint(
    writer: Writer, webhook_endpoint_id: UUID, idempotent: Idempotent
) -> Response:
    """A `webhook_endpoint.tested` goes to this endpoint alone, whatever it has subscribed to. The event's
    attempts tell what became of it.
    """

    async def test(tx: Tx) -> WebhookTest:
        return WebhookTest(event_id=await send_test_event(tx, webhook_endpoint_id))

    return await once(writer.tx(), idempotent, work=test)


async def _with_secret(writer: Authorized, answer: Response) -> Response:
    """The answer that shows the secret; it is opened for it, also when a request is repeated."""
    endpoint_id = _Named.model_validate_json(bytes(answer.body)).id
    async with writer.tx() as tx:
        endpoint = await endpoint_by_id(tx, endpoint_id)
        box = writer.wiring.secret_box
        shown = with_secret(endpoint, opened_secret(endpoint, tenant_id=tx.tenant_id, box=box))
    return with_etag(as_it_stands(answer, shown))
