"""How does a platform give a customer something else than its plans say?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from billwright.features.accounts.errors import account_unknown
from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.catalog.errors import feature_reference_unknown
from billwright.features.entitlements.errors import (
    override_begins_in_past,
    override_ends_before_begin,
    override_unknown,
    subscription_not_of_account,
)
from billwright.features.entitlements.operations import create_override as creating
from billwright.features.entitlements.operations import remove_override as removing
from billwright.features.entitlements.sql.reads_overrides import list_overrides, override_by_id
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.platform_api.entitlement_overrides_models import (
    EntitlementOverride,
    EntitlementOverrideInput,
    from_request,
    to_response,
)
from billwright.surfaces.platform_api.features import DEFINITION_REFUSALS
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import Code, Instant

router = APIRouter(tags=["entitlements"])

_LISTING = Listing("entitlement_overrides", tuple[UUID])


@router.post(
    "/accounts/{account_id}/entitlement-overrides",
    status_code=201,
    response_model=EntitlementOverride,
    summary="Override what an account is entitled to",
    responses=refusals.of_writing(
        account_unknown,
        feature_reference_unknown,
        subscription_not_of_account,
        override_begins_in_past,
        override_ends_before_begin,
        *DEFINITION_REFUSALS,
    ),
)
async def create_entitlement_override(
    writer: Writer, account_id: UUID, body: EntitlementOverrideInput, idempotent: Idempotent
) -> Response:
    """An override of the account comes before those of its subscriptions, and these before add-ons and
    plans. One that stands at the same place (the account, or the subscription) ends when this one
    begins, also if it was only to begin later; it does not come back when this one ends.
    """

    async def create(tx: Tx) -> EntitlementOverride:
        return to_response(await creating.create_override(tx, from_request(body, account_id)))

    return await once(writer.tx(), idempotent, work=create)


@router.get(
    "/accounts/{account_id}/entitlement-overrides",
    summary="List an account's entitlement overrides",
    responses=refusals.of_listing(account_unknown),
)
async def list_entitlement_overrides(
    reader: Reader,
    account_id: UUID,
    page: PageParameters,
    feature: Annotated[Code | None, Query(description="Only those of this feature.")] = None,
    subscription_id: Annotated[
        UUID | None, Query(description="Only those of this subscription.")
    ] = None,
    in_force_at: Annotated[
        Instant | None, Query(description="Only those that hold at this instant.")
    ] = None,
) -> Page[EntitlementOverride]:
    """Newest first, also those that have ended."""
    filters = {
        "account_id": account_id,
        "feature": feature,
        "subscription_id": subscription_id,
        "in_force_at": in_force_at,
    }
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        await account_by_id(tx, account_id)
        overrides = await list_overrides(
            tx,
            account_id,
            before=after[0] if after else None,
            limit=page.limit + 1,
            feature=feature,
            subscription_id=subscription_id,
            in_force_at=in_force_at,
        )
    return _LISTING.page(
        overrides, page, filters=filters, key=lambda one: (one.id,), to_response=to_response
    )


@router.get(
    "/entitlement-overrides/{override_id}",
    summary="Get an entitlement override",
    responses=refusals.of_reading(override_unknown),
)
async def get_entitlement_override(reader: Reader, override_id: UUID) -> EntitlementOverride:
    """Also one that has ended."""
    async with reader.tx() as tx:
        return to_response(await override_by_id(tx, override_id))


@router.delete(
    "/entitlement-overrides/{override_id}",
    response_model=EntitlementOverride,
    summary="End an entitlement override",
    responses=refusals.of_writing(override_unknown),
)
async def remove_entitlement_override(
    writer: Writer, override_id: UUID, idempotent: Idempotent
) -> Response:
    """It ends now, and plans say again what there is; one that was to begin later never does. The
    answer is what is kept of it. Where it has ended already, nothing changes.
    """

    async def remove(tx: Tx) -> EntitlementOverride:
        return to_response(await removing.remove_override(tx, override_id))

    return await once(writer.tx(), idempotent, work=remove)
