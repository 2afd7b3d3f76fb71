"""How does a platform offer its customers to pay less?"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from billwright.features.catalog.errors import plan_reference_unknown
from billwright.features.promotions import model
from billwright.features.promotions.errors import (
    promotion_code_invalid,
    promotion_code_taken,
    promotion_currency_missing,
    promotion_duration_periods_mismatch,
    promotion_duration_unfit,
    promotion_maximum_too_low,
    promotion_percent_too_fine,
    promotion_stale,
    promotion_term_missing,
    promotion_term_out_of_range,
    promotion_term_unfit,
    promotion_unknown,
    promotion_window_empty,
    redemption_unknown,
)
from billwright.features.promotions.operations import archive_promotion as archiving
from billwright.features.promotions.operations import create_promotion as creating
from billwright.features.promotions.operations import end_redemption as ending
from billwright.features.promotions.operations import update_promotion as updating
from billwright.features.promotions.sql.reads import list_promotions as read_promotions
from billwright.features.promotions.sql.reads import list_redemptions as read_redemptions
from billwright.features.promotions.sql.reads import promotion_by_code
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.platform_api.promotions_models import (
    Promotion,
    PromotionInput,
    PromotionUpdateInput,
    Redemption,
    from_request,
    from_update_request,
    to_redemption,
    to_response,
)
from billwright.surfaces.platform_api.versions import ETAG, IfMatch, etag, version_of, with_etag
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters

router = APIRouter(tags=["promotions"])

_LISTING = Listing("promotions", tuple[UUID])
_REDEMPTIONS = Listing("redemptions", tuple[UUID])


@router.post(
    "/promotions",
    status_code=201,
    response_model=Promotion,
    summary="Create a promotion",
    responses={
        201: ETAG,
        **refusals.of_writing(
            promotion_code_taken,
            promotion_code_invalid,
            plan_reference_unknown,
            promotion_term_missing,
            promotion_term_unfit,
            promotion_term_out_of_range,
            promotion_percent_too_fine,
            promotion_duration_unfit,
            promotion_duration_periods_mismatch,
            promotion_currency_missing,
            promotion_window_empty,
        ),
    },
)
async def create_promotion(
    writer: Writer, body: PromotionInput, idempotent: Idempotent
) -> Response:
    """Discounts are taken off before tax, in this order: free periods, free days, percentages, fixed
    amounts; within a kind, what was redeemed earlier.
    """

    async def create(tx: Tx) -> Promotion:
        return to_response(await creating.create_promotion(tx, from_request(body)))

    return with_etag(await once(writer.tx(), idempotent, work=create))


@router.get("/promotions", summary="List promotions", responses=refusals.of_listing())
async def list_promotions(
    reader: Reader, page: PageParameters, status: model.PromotionStatus | None = None
) -> Page[Promotion]:
    """Newest first."""
    filters = {"status": status}
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        promotions = await read_promotions(
            tx, before=after[0] if after else None, limit=page.limit + 1, status=status
        )
    return _LISTING.page(
        promotions, page, filters=filters, key=lambda one: (one.id,), to_response=to_response
    )


@router.get(
    "/promotions/{promotion_code}",
    summary="Get a promotion",
    responses={200: ETAG, **refusals.of_reading(promotion_unknown)},
)
async def get_promotion(reader: Reader, promotion_code: str, response: Response) -> Promotion:
    async with reader.tx() as tx:
        promotion = await promotion_by_code(tx, promotion_code)
    response.headers["ETag"] = etag(promotion.version)
    return to_response(promotion)


@router.patch(
    "/promotions/{promotion_code}",
    response_model=Promotion,
    summary="Update a promotion",
    responses={
        200: ETAG,
        **refusals.of_writing(
            promotion_unknown,
            promotion_stale,
            promotion_term_out_of_range,
            promotion_maximum_too_low,
            promotion_window_empty,
        ),
    },
)
async def update_promotion(
    writer: Writer,
    promotion_code: str,
    body: PromotionUpdateInput,
    idempotent: Idempotent,
    if_match: IfMatch = None,
) -> Response:
    """What it is worth does not change; who has redeemed it keeps it."""

    async def update(tx: Tx) -> Promotion:
        command = from_update_request(body, promotion_code)
        command = replace(command, expected_version=version_of(if_match))
        return to_response(await updating.update_promotion(tx, command))

    return with_etag(await once(writer.tx(), idempotent, work=update))


@router.post(
    "/promotions/{promotion_code}/archive",
    response_model=Promotion,
    summary="Archive a promotion",
    responses={200: ETAG, **refusals.of_writing(promotion_unknown, promotion_stale)},
)
async def archive_promotion(
    writer: Writer, promotion_code: str, idempotent: Idempotent, if_match: IfMatch = None
) -> Response:
    """Nobody can redeem it any more; who has keeps it. To archive it again changes nothing."""

    async def archive(tx: Tx) -> Promotion:
        archived = await archiving.archive_promotion(
            tx, promotion_code, expected_version=version_of(if_match)
        )
        return to_response(archived)

    return with_etag(await once(writer.tx(), idempotent, work=archive))


@router.get(
    "/promotions/{promotion_code}/redemptions",
    summary="List the redemptions of a promotion",
    responses=refusals.of_listing(promotion_unknown),
)
async def list_redemptions(
    reader: Reader, promotion_code: str, page: PageParameters, account_id: UUID | None = None
) -> Page[Redemption]:
    """Newest first."""
    async with reader.tx() as tx:
        promotion = await promotion_by_code(tx, promotion_code)
        filters = {"promotion": promotion.id, "account_id": account_id}
        after = _REDEMPTIONS.after(page, filters=filters)
        redemptions = await read_redemptions(
            tx,
            promotion.id,
            before=after[0] if after else None,
            limit=page.limit + 1,
            account_id=account_id,
        )
    return _REDEMPTIONS.page(
        redemptions, page, filters=filters, key=lambda one: (one.id,), to_response=to_redemption
    )


@router.post(
    "/redemptions/{redemption_id}/end",
    response_model=Redemption,
    summary="End a redemption",
    responses=refusals.of_writing(redemption_unknown),
)
async def end_redemption(writer: Writer, redemption_id: UUID, idempotent: Idempotent) -> Response:
    """The subscription has the promotion no more; what was taken off stays. To end it again changes
    nothing.
    """

    async def end(tx: Tx) -> Redemption:
        return to_redemption(await ending.end_redemption(tx, redemption_id))

    return await once(writer.tx(), idempotent, work=end)
