"""How does a platform subscribe its customers, and see what they have subscribed to?"""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from billwright.features.accounts.errors import account_closed, account_reference_unknown
from billwright.features.catalog.errors import plan_archived, plan_reference_unknown
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.subscriptions import model
from billwright.features.subscriptions.errors import (
    bills_from_invalid,
    charge_too_large,
    component_unknown,
    currency_not_sold,
    starts_at_invalid,
    subscription_external_id_taken,
    subscription_unknown,
    trial_already_used,
    trial_until_invalid,
    trial_used_with_payment_method,
)
from billwright.features.subscriptions.operations import create_subscription as creating
from billwright.features.subscriptions.sql.reads import (
    SubscriptionFilter,
    account_of,
    subscription_by_id,
)
from billwright.features.subscriptions.sql.reads import list_subscriptions as read_subscriptions
from billwright.features.subscriptions.sql.reads_history import history_of
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader
from billwright.surfaces.platform_api.list_filters import (
    CreatedAfter,
    CreatedBefore,
    ExternalId,
)
from billwright.surfaces.platform_api.subscription_routes import OF_REDEEMING, Asked, command
from billwright.surfaces.platform_api.subscriptions_history import HistoryEntry, to_entry
from billwright.surfaces.platform_api.subscriptions_inputs import SubscriptionInput, from_request
from billwright.surfaces.platform_api.subscriptions_models import (
    Subscription,
    to_response,
    version_ids,
)
from billwright.surfaces.platform_api.versions import ETAG, etag
from billwright.surfaces.web.metadata_filter import METADATA_PARAMETER, MetadataFilter
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import Code

router = APIRouter(prefix="/subscriptions", tags=["subscriptions"])

_LISTING = Listing("subscriptions", tuple[UUID])
_HISTORY = Listing("subscription_history", tuple[UUID])


@command(
    router,
    "",
    summary="Create a subscription",
    status_code=201,
    refuses=(
        account_reference_unknown,
        account_closed,
        plan_reference_unknown,
        plan_archived,
        currency_not_sold,
        component_unknown,
        charge_too_large,
        starts_at_invalid,
        bills_from_invalid,
        trial_until_invalid,
        trial_already_used,
        trial_used_with_payment_method,
        subscription_external_id_taken,
        *OF_REDEEMING,
    ),
)
async def create_subscription(body: SubscriptionInput) -> Asked:
    """It starts now, if nothing else is said: with its first period, the invoice of what is due in
    advance, and access; or with its trial.
    """
    wanted = from_request(body)
    return Asked(work=partial(creating.create_subscription, command=wanted), at=wanted.starts_at)


@router.get(
    "",
    summary="List subscriptions",
    responses=refusals.of_listing(),
    openapi_extra=METADATA_PARAMETER,
)
async def list_subscriptions(
    reader: Reader,
    page: PageParameters,
    metadata: MetadataFilter,
    account_id: UUID | None = None,
    state: model.SubscriptionState | None = None,
    plan_code: Annotated[
        Code | None, Query(description="Only subscriptions to any version of this plan.")
    ] = None,
    external_id: ExternalId = None,
    created_after: CreatedAfter = None,
    created_before: CreatedBefore = None,
) -> Page[Subscription]:
    """Newest first."""
    filters: SubscriptionFilter = {
        "account_id": account_id,
        "state": state,
        "plan_code": plan_code,
        "external_id": external_id,
        "created_after": created_after,
        "created_before": created_before,
        "metadata": metadata,
    }
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        subscriptions = await read_subscriptions(
            tx, before=after[0] if after else None, limit=page.limit + 1, **filters
        )
        versions = await plan_versions(tx, version_ids(subscriptions))
    return _LISTING.page(
        subscriptions,
        page,
        filters=filters,
        key=lambda one: (one.id,),
        to_response=lambda one: to_response(one, versions),
    )


@router.get(
    "/{subscription_id}",
    summary="Get a subscription",
    responses={200: ETAG, **refusals.of_reading(subscription_unknown)},
)
async def get_subscription(
    reader: Reader, subscription_id: UUID, response: Response
) -> Subscription:
    async with reader.tx() as tx:
        subscription = await subscription_by_id(tx, subscription_id)
        versions = await plan_versions(tx, version_ids([subscription]))
    response.headers["ETag"] = etag(subscription.version)
    return to_response(subscription, versions)


@router.get(
    "/{subscription_id}/history",
    summary="List what was done to a subscription",
    responses=refusals.of_listing(subscription_unknown),
)
async def list_subscription_history(
    reader: Reader, subscription_id: UUID, page: PageParameters
) -> Page[HistoryEntry]:
    """Newest first: every command with its values, and every step that came of one or fell due."""
    filters = {"subscription_id": subscription_id}
    after = _HISTORY.after(page, filters=filters)
    async with reader.tx() as tx:
        await account_of(tx, subscription_id)  # refuses another tenant's, whose history is empty
        entries = await history_of(
            tx, subscription_id, before=after[0] if after else None, limit=page.limit + 1
        )
    return _HISTORY.page(
        entries, page, filters=filters, key=lambda one: (one.id,), to_response=to_entry
    )
