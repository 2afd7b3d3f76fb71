"""How does a platform give a customer more of what is counted?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from billwright.features.accounts.errors import account_unknown
from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.catalog.errors import feature_reference_unknown
from billwright.features.entitlements.errors import (
    grant_amount_invalid,
    grant_begins_in_past,
    grant_ends_before_begin,
    grant_feature_not_metered,
    grant_is_for_account,
    grant_needs_subscription,
    grant_over,
    grant_recurrence_too_short,
    grant_rollover_unfit,
    grant_unknown,
    subscription_not_of_account,
)
from billwright.features.entitlements.operations import grant_allotment as granting
from billwright.features.entitlements.operations import void_grant as voiding
from billwright.features.entitlements.operations.measure_grants import measure_grants
from billwright.features.entitlements.sql.reads_grants import KeptGrant, grant_by_id, list_grants
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.platform_api.entitlement_grants_models import (
    EntitlementGrant,
    EntitlementGrantInput,
    from_request,
    to_response,
)
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import Code, Instant

router = APIRouter(tags=["entitlements"])

_LISTING = Listing("entitlement_grants", tuple[UUID])


@router.post(
    "/accounts/{account_id}/entitlement-grants",
    status_code=201,
    response_model=EntitlementGrant,
    summary="Grant an account something to use up",
    responses=refusals.of_writing(
        account_unknown,
        feature_reference_unknown,
        subscription_not_of_account,
        grant_feature_not_metered,
        grant_needs_subscription,
        grant_is_for_account,
        grant_amount_invalid,
        grant_rollover_unfit,
        grant_begins_in_past,
        grant_ends_before_begin,
        grant_recurrence_too_short,
    ),
)
async def create_entitlement_grant(
    writer: Writer, account_id: UUID, body: EntitlementGrantInput, idempotent: Idempotent
) -> Response:
    """It counts beside what plans and overrides give, from the lowest `priority` on. Where nothing else
    gives the feature, the grant alone does, until it is used up.
    """

    async def create(tx: Tx) -> EntitlementGrant:
        made = await granting.grant_allotment(tx, from_request(body, account_id))
        return await _measured(tx, await grant_by_id(tx, made.id))

    return await once(writer.tx(), idempotent, work=create)


@router.get(
    "/accounts/{account_id}/entitlement-grants",
    summary="List an account's entitlement grants",
    responses=refusals.of_listing(account_unknown),
)
async def list_entitlement_grants(
    reader: Reader,
    account_id: UUID,
    page: PageParameters,
    feature: Annotated[Code | None, Query(description="Only those of this feature.")] = None,
    subscription_id: Annotated[
        UUID | None, Query(description="Only those of this subscription.")
    ] = None,
    in_force_at: Annotated[
        Instant | None, Query(description="Only those that can be used at this instant.")
    ] = None,
) -> Page[EntitlementGrant]:
    """Newest first, also those that are over."""
    filters = {
        "account_id": account_id,
        "feature": feature,
        "subscription_id": subscription_id,
        "in_force_at": in_force_at,
    }
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        await account_by_id(tx, account_id)
        grants = await list_grants(
            tx,
            account_id,
            before=after[0] if after else None,
            limit=page.limit + 1,
            feature=feature,
            subscription_id=subscription_id,
            in_force_at=in_force_at,
        )
        left = await measure_grants(tx, grants)
    return _LISTING.page(
        grants,
        page,
        filters=filters,
        key=lambda one: (one.allotment.id,),
        to_response=lambda one: to_response(one, left=left[one.allotment.id]),
    )


@router.get(
    "/entitlement-grants/{grant_id}",
    summary="Get an entitlement grant",
    responses=refusals.of_reading(grant_unknown),
)
async def get_entitlement_grant(reader: Reader, grant_id: UUID) -> EntitlementGrant:
    """With what is left of it now."""
    async with reader.tx() as tx:
        return await _measured(tx, await grant_by_id(tx, grant_id))


@router.post(
    "/entitlement-grants/{grant_id}/void",
    response_model=EntitlementGrant,
    summary="Void an entitlement grant",
    responses=refusals.of_writing(grant_unknown, grant_over),
)
async def void_entitlement_grant(
    writer: Writer, grant_id: UUID, idempotent: Idempotent
) -> Response:
    """What is left of it is gone; what was used of it stays used."""

    async def void(tx: Tx) -> EntitlementGrant:
        await voiding.void_grant(tx, grant_id)
        return await _measured(tx, await grant_by_id(tx, grant_id))

    return await once(writer.tx(), idempotent, work=void)


async def _measured(tx: Tx, kept: KeptGrant) -> EntitlementGrant:
    left = await measure_grants(tx, [kept])
    return to_response(kept, left=left[kept.allotment.id])
