"""How does a platform subscribe its customers, and end that?"""

from __future__ import annotations

import re
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Header
from starlette.responses import Response

from billwright.features.accounts.errors import (
    account_closed,
    account_parked,
    account_reference_unknown,
)
from billwright.features.catalog.errors import plan_archived, plan_reference_unknown
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.subscriptions import model
from billwright.features.subscriptions.errors import (
    charge_too_large,
    component_unknown,
    currency_not_sold,
    subscription_external_id_taken,
    subscription_unknown,
    version_stale,
)
from billwright.features.subscriptions.operations import cancel_subscription as canceling
from billwright.features.subscriptions.operations import create_subscription as creating
from billwright.features.subscriptions.sql.reads import list_subscriptions as read_subscriptions
from billwright.features.subscriptions.sql.reads import subscription_by_id
from billwright.kernel.state_machine import state_forbids
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.platform_api.subscriptions_models import (
    CancellationInput,
    StartedSubscription,
    Subscription,
    SubscriptionInput,
    from_request,
    started,
    to_response,
)
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters

router = APIRouter(prefix="/subscriptions", tags=["subscriptions"])

_LISTING = Listing("subscriptions", tuple[UUID])

_ETAG = {
    "headers": {
        "ETag": {
            "description": "The subscription's version, for `If-Match`.",
            "schema": {"type": "string", "examples": ['"3"']},
        }
    }
}
_IF_MATCH = r'^(\*|"[1-9][0-9]{0,8}")$'


class _Versioned(msgspec.Struct):
    version: int


@router.post(
    "",
    status_code=201,
    response_model=StartedSubscription,
    summary="Create a subscription",
    responses={
        201: _ETAG,
        **refusals.of_writing(
            account_reference_unknown,
            account_closed,
            plan_reference_unknown,
            plan_archived,
            currency_not_sold,
            component_unknown,
            charge_too_large,
            subscription_external_id_taken,
        ),
    },
)
async def create_subscription(
    writer: Writer, body: SubscriptionInput, idempotent: Idempotent
) -> Response:
    """It starts now: with its first period, the invoice of what is due in advance, and access."""

    async def create(tx: Tx) -> StartedSubscription:
        made = await creating.create_subscription(tx, from_request(body))
        subscription = to_response(made.subscription, made.version)
        return started(subscription, invoice_ids=[invoice.id for invoice in made.invoices])

    return _with_etag(await once(writer.tx(), idempotent, work=create))


@router.get("", summary="List subscriptions", responses=refusals.of_listing())
async def list_subscriptions(
    reader: Reader,
    page: PageParameters,
    account_id: UUID | None = None,
    state: model.SubscriptionState | None = None,
) -> Page[Subscription]:
    """Newest first."""
    filters = {"account_id": account_id, "state": state}
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        subscriptions = await read_subscriptions(
            tx,
            before=after[0] if after else None,
            limit=page.limit + 1,
            account_id=account_id,
            state=state,
        )
        versions = await plan_versions(tx, [one.plan_version_id for one in subscriptions])
    return _LISTING.page(
        subscriptions,
        page,
        filters=filters,
        key=lambda one: (one.id,),
        to_response=lambda one: to_response(one, versions[one.plan_version_id]),
    )


@router.get(
    "/{subscription_id}",
    summary="Get a subscription",
    responses={200: _ETAG, **refusals.of_reading(subscription_unknown)},
)
async def get_subscription(
    reader: Reader, subscription_id: UUID, response: Response
) -> Subscription:
    async with reader.tx() as tx:
        subscription = await subscription_by_id(tx, subscription_id)
        versions = await plan_versions(tx, [subscription.plan_version_id])
    response.headers["ETag"] = _etag(subscription.version)
    return to_response(subscription, versions[subscription.plan_version_id])


@router.post(
    "/{subscription_id}/cancel",
    response_model=Subscription,
    summary="Cancel a subscription",
    responses={
        200: _ETAG,
        **refusals.of_writing(subscription_unknown, state_forbids, version_stale, account_parked),
    },
)
async def cancel_subscription(
    writer: Writer,
    subscription_id: UUID,
    body: CancellationInput,
    idempotent: Idempotent,
    if_match: Annotated[
        str | None,
        Header(
            pattern=_IF_MATCH,
            description="The `ETag` that the decision was based on: a subscription that has "
            "changed since is left alone.",
        ),
    ] = None,
) -> Response:
    """A cancellation at the period's end may be followed by one that ends it now."""

    async def cancel(tx: Tx) -> Subscription:
        canceled = await canceling.cancel_subscription(
            tx,
            canceling.CancelSubscription(
                subscription_id=subscription_id,
                mode=body.mode,
                reason=body.reason,
                comment=body.comment,
                expected_version=_version(if_match),
            ),
        )
        return to_response(canceled.subscription, canceled.version)

    return _with_etag(await once(writer.tx(), idempotent, work=cancel))


def _with_etag(response: Response) -> Response:
    """The answer, which may be a stored one, with the version that it tells of as a header."""
    answered = msgspec.json.decode(response.body, type=_Versioned)
    response.headers["ETag"] = _etag(answered.version)
    return response


def _etag(version: int) -> str:
    return f'"{version}"'


def _version(if_match: str | None) -> int | None:
    digits = re.sub(r"\D", "", if_match or "")
    return int(digits) if digits else None
