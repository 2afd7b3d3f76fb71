"""How does a platform see what renews, and decide what it renews to?"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from billwright.features.accounts.errors import account_parked
from billwright.features.catalog.errors import (
    plan_archived,
    plan_reference_unknown,
    plan_version_unknown,
)
from billwright.features.subscriptions.errors import (
    charge_too_large,
    component_unknown,
    currency_not_sold_after,
    subscription_unknown,
)
from billwright.features.subscriptions.operations.foresee_boundary import foresee_boundary
from billwright.features.subscriptions.operations.tell_boundaries import tell_boundaries
from billwright.features.subscriptions.operations.update_renewal import update_renewal
from billwright.features.subscriptions.sql.reads import subscription_by_id
from billwright.features.subscriptions.sql.reads_trials import RenewalFilter
from billwright.features.subscriptions.sql.reads_trials import list_renewals as read_renewals
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.platform_api.renewals_models import (
    Renewal,
    RenewalEntry,
    RenewalUpdateInput,
    from_request,
    to_entry,
    to_renewal,
)
from billwright.surfaces.platform_api.subscription_routes import OF_EVERY_COMMAND
from billwright.surfaces.platform_api.versions import ETAG, IfMatch, etag, version_of, with_etag
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import Code, Instant

router = APIRouter(tags=["subscriptions"])

_LISTING = Listing("renewals", tuple[datetime, UUID])


@router.get("/renewals", summary="List what renews", responses=refusals.of_listing())
async def list_renewals(
    reader: Reader,
    page: PageParameters,
    account_id: Annotated[UUID | None, Query(description="Only this account's.")] = None,
    plan_code: Annotated[Code | None, Query(description="Only what has this plan now.")] = None,
    renews: Annotated[
        bool | None, Query(description="True: only what goes on; false: only what ends.")
    ] = None,
    renews_after: Annotated[
        Instant | None, Query(description="Only what is due at this instant or later.")
    ] = None,
    renews_before: Annotated[
        Instant | None, Query(description="Only what is due before this instant.")
    ] = None,
) -> Page[RenewalEntry]:
    """What is due first comes first: the ends of all trials and periods that are running. What one of
    them will cost is answered by the renewal of its subscription.
    """
    filters = {
        "account_id": account_id,
        "plan_code": plan_code,
        "renews": renews,
        "renews_after": renews_after,
        "renews_before": renews_before,
    }
    wanted = RenewalFilter(
        account_id=account_id,
        plan_code=plan_code,
        renews=renews,
        since=renews_after,
        until=renews_before,
    )
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        found = await read_renewals(tx, wanted, after=after, limit=page.limit + 1)
        ahead = await tell_boundaries(tx, found)
    return _LISTING.page(
        ahead,
        page,
        filters=filters,
        key=lambda one: (one.subscription.period.end, one.subscription.id),
        to_response=to_entry,
    )


@router.get(
    "/subscriptions/{subscription_id}/renewal",
    summary="Get the next renewal of a subscription",
    responses={200: ETAG, **refusals.of_reading(subscription_unknown)},
)
async def get_subscription_renewal(
    reader: Reader, subscription_id: UUID, response: Response
) -> Renewal:
    """What it brings is found out by doing it, to the cent, and undoing it."""
    async with reader.rehearsal() as tx:
        renewal = await _renewal(tx, subscription_id)
    response.headers["ETag"] = etag(renewal.version)
    return renewal


@router.patch(
    "/subscriptions/{subscription_id}/renewal",
    response_model=Renewal,
    summary="Change the next renewal of a subscription",
    responses={
        200: ETAG,
        **refusals.of_writing(
            *OF_EVERY_COMMAND,
            plan_reference_unknown,
            plan_archived,
            plan_version_unknown,
            currency_not_sold_after,
            component_unknown,
            charge_too_large,
            account_parked,
        ),
    },
)
async def update_subscription_renewal(
    writer: Writer,
    subscription_id: UUID,
    body: RenewalUpdateInput,
    idempotent: Idempotent,
    if_match: IfMatch = None,
) -> Response:
    """Whether it renews, what it renews to, and when people are reminded."""

    async def update(tx: Tx) -> Renewal:
        await update_renewal(
            tx, from_request(subscription_id, body, expected_version=version_of(if_match))
        )
        return await _renewal(tx, subscription_id)

    return with_etag(await once(writer.tx(), idempotent, work=update))


async def _renewal(tx: Tx, subscription_id: UUID) -> Renewal:
    subscription = await subscription_by_id(tx, subscription_id)
    foreseen = await foresee_boundary(tx, subscription)
    [ahead] = await tell_boundaries(tx, [subscription])
    return to_renewal(ahead, foreseen)
