"""What do plans give, whichever plan it is?"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from billwright.features.catalog import model
from billwright.features.catalog.errors import (
    feature_code_taken,
    feature_member_unsuitable,
    feature_stale,
    feature_term_missing,
    feature_term_out_of_range,
    feature_term_unsuitable,
    feature_unknown,
    feature_value_invalid,
)
from billwright.features.catalog.operations import create_feature as creating
from billwright.features.catalog.operations import update_feature as updating
from billwright.features.catalog.sql.reads_features import feature_by_code
from billwright.features.catalog.sql.reads_features import list_features as read_features
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.platform_api.features_models import (
    DefinitionInput,
    Feature,
    FeatureInput,
    FeatureUpdateInput,
    from_request,
    from_update_request,
    to_response,
)
from billwright.surfaces.platform_api.versions import ETAG, IfMatch, etag, version_of, with_etag
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters

router = APIRouter(prefix="/features", tags=["plans"])

_LISTING = Listing("features", tuple[UUID])

DEFINITION_REFUSALS = (
    feature_value_invalid,
    feature_term_unsuitable,
    feature_term_missing,
    feature_term_out_of_range,
)
"""What may be wrong with what is given of a feature, wherever that is said."""


@router.post(
    "",
    status_code=201,
    response_model=Feature,
    summary="Create a feature",
    responses={
        201: ETAG,
        **refusals.of_writing(feature_code_taken, feature_member_unsuitable),
    },
)
async def create_feature(writer: Writer, body: FeatureInput, idempotent: Idempotent) -> Response:
    """Nobody has it until a plan, an override or its default gives it. A plan also creates the features
    that it names and that do not exist yet.
    """

    async def create(tx: Tx) -> Feature:
        return to_response(await creating.create_feature(tx, from_request(body)))

    return with_etag(await once(writer.tx(), idempotent, work=create))


@router.get("", summary="List features", responses=refusals.of_listing())
async def list_features(
    reader: Reader, page: PageParameters, kind: model.FeatureKind | None = None
) -> Page[Feature]:
    """Newest first."""
    filters = {"kind": kind}
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        features = await read_features(
            tx, before=after[0] if after else None, limit=page.limit + 1, kind=kind
        )
    return _LISTING.page(
        features, page, filters=filters, key=lambda one: (one.id,), to_response=to_response
    )


@router.get(
    "/{feature_code}",
    summary="Get a feature",
    responses={200: ETAG, **refusals.of_reading(feature_unknown)},
)
async def get_feature(reader: Reader, feature_code: str, response: Response) -> Feature:
    async with reader.tx() as tx:
        feature = await feature_by_code(tx, feature_code)
    response.headers["ETag"] = etag(feature.version)
    return to_response(feature)


@router.patch(
    "/{feature_code}",
    response_model=Feature,
    summary="Update a feature",
    responses={
        200: ETAG,
        **refusals.of_writing(
            feature_unknown, feature_stale, feature_member_unsuitable, *DEFINITION_REFUSALS
        ),
    },
)
async def update_feature(
    writer: Writer,
    feature_code: str,
    body: FeatureUpdateInput,
    idempotent: Idempotent,
    if_match: IfMatch = None,
) -> Response:
    """Software asks by its code, which stays, as its kind does. What plans give stays as they gave it;
    how it is counted changes for every account at once.
    """

    async def update(tx: Tx) -> Feature:
        command = from_update_request(body, feature_code)
        command = replace(command, expected_version=version_of(if_match))
        return to_response(await updating.update_feature(tx, command))

    return with_etag(await once(writer.tx(), idempotent, work=update))


@router.put(
    "/{feature_code}/default",
    response_model=Feature,
    summary="Set what every account has of a feature",
    responses={
        200: ETAG,
        **refusals.of_writing(feature_unknown, feature_stale, *DEFINITION_REFUSALS),
    },
)
async def set_feature_default(
    writer: Writer,
    feature_code: str,
    body: DefinitionInput,
    idempotent: Idempotent,
    if_match: IfMatch = None,
) -> Response:
    """Where nothing else gives it: no plan, no add-on, no override. It holds for everybody at once."""

    async def set_default(tx: Tx) -> Feature:
        updated = await updating.set_feature_default(
            tx, feature_code, default=body.to_definition(), expected_version=version_of(if_match)
        )
        return to_response(updated)

    return with_etag(await once(writer.tx(), idempotent, work=set_default))


@router.delete(
    "/{feature_code}/default",
    response_model=Feature,
    summary="Take away what every account has of a feature",
    responses={200: ETAG, **refusals.of_writing(feature_unknown, feature_stale)},
)
async def remove_feature_default(
    writer: Writer, feature_code: str, idempotent: Idempotent, if_match: IfMatch = None
) -> Response:
    """Who has it by nothing else has it no more. Where there is no default, nothing changes."""

    async def remove(tx: Tx) -> Feature:
        updated = await updating.set_feature_default(
            tx, feature_code, default=None, expected_version=version_of(if_match)
        )
        return to_response(updated)

    return with_etag(await once(writer.tx(), idempotent, work=remove))
