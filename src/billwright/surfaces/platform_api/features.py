"""What do plans give, whichever plan it is?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.responses import Response

from billwright.features.catalog import model
from billwright.features.catalog.errors import feature_unknown
from billwright.features.catalog.operations import update_feature as updating
from billwright.features.catalog.sql.reads_features import feature_by_code
from billwright.features.catalog.sql.reads_features import list_features as read_features
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import Instant, RequestModel, ResponseModel, Text

router = APIRouter(prefix="/features", tags=["plans"])

_LISTING = Listing("features", tuple[UUID])


class Feature(ResponseModel):
    """Something that software asks about, as all plans share it."""

    id: UUID
    code: Annotated[str, Field(description="By which plans and access decisions name it.")]
    name: Annotated[
        str,
        Field(
            description="As it is called now; versions of plans keep the name that they gave it."
        ),
    ]
    kind: Annotated[
        model.FeatureKind,
        Field(description="`boolean`, `static` (a value) or `metered` (a limit); never another."),
    ]
    created_at: Instant


class FeatureUpdateInput(RequestModel):
    """What the feature is to be called."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Single sign-on (SAML)"}]})

    name: Text


def to_response(feature: model.Feature) -> Feature:
    return Feature(
        id=feature.id,
        code=feature.code,
        name=feature.name,
        kind=feature.kind,
        created_at=feature.created_at,
    )


@router.get("", summary="List features", responses=refusals.of_listing())
async def list_features(reader: Reader, page: PageParameters) -> Page[Feature]:
    """Newest first. Features come to be with the plans that give them."""
    after = _LISTING.after(page)
    async with reader.tx() as tx:
        features = await read_features(tx, before=after[0] if after else None, limit=page.limit + 1)
    return _LISTING.page(features, page, key=lambda one: (one.id,), to_response=to_response)


@router.get(
    "/{feature_code}", summary="Get a feature", responses=refusals.of_reading(feature_unknown)
)
async def get_feature(reader: Reader, feature_code: str) -> Feature:
    async with reader.tx() as tx:
        return to_response(await feature_by_code(tx, feature_code))


@router.patch(
    "/{feature_code}",
    response_model=Feature,
    summary="Rename a feature",
    responses=refusals.of_writing(feature_unknown),
)
async def update_feature(
    writer: Writer, feature_code: str, body: FeatureUpdateInput, idempotent: Idempotent
) -> Response:
    """Software asks by its code, which stays."""

    async def update(tx: Tx) -> Feature:
        command = updating.UpdateFeature(feature_code=feature_code, name=body.name)
        return to_response(await updating.update_feature(tx, command))

    return await once(writer.tx(), idempotent, work=update)
