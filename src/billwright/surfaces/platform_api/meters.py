"""How does a platform say what is counted?"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from billwright.features.usage import model
from billwright.features.usage.errors import (
    meter_archived,
    meter_code_taken,
    meter_definition_unfit,
    meter_stale,
    meter_unknown,
)
from billwright.features.usage.operations import archive_meter as archiving
from billwright.features.usage.operations import create_meter as creating
from billwright.features.usage.operations import update_meter as updating
from billwright.features.usage.sql.reads_meters import list_meter_versions as read_versions
from billwright.features.usage.sql.reads_meters import list_meters as read_meters
from billwright.features.usage.sql.reads_meters import meter_by_code
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.platform_api.meters_models import (
    Meter,
    MeterInput,
    MeterUpdateInput,
    MeterVersion,
    from_request,
    from_update_request,
    to_response,
    to_version,
)
from billwright.surfaces.platform_api.versions import ETAG, IfMatch, etag, version_of, with_etag
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters

router = APIRouter(prefix="/meters", tags=["meters"])

_LARGEST_NUMBER = 2**31 - 1

_LISTING = Listing("meters", tuple[UUID])
_VERSIONS = Listing("meter_versions", tuple[Annotated[int, msgspec.Meta(ge=1, le=_LARGEST_NUMBER)]])


@router.post(
    "",
    status_code=201,
    response_model=Meter,
    summary="Create a meter",
    responses={201: ETAG, **refusals.of_writing(meter_code_taken, meter_definition_unfit)},
)
async def create_meter(writer: Writer, body: MeterInput, idempotent: Idempotent) -> Response:
    """A plan may name a code that no meter has: then the quantities of the events of that type are
    added up.
    """

    async def create(tx: Tx) -> Meter:
        return to_response(await creating.create_meter(tx, from_request(body)))

    return with_etag(await once(writer.tx(), idempotent, work=create))


@router.get("", summary="List meters", responses=refusals.of_listing())
async def list_meters(
    reader: Reader, page: PageParameters, status: model.MeterStatus | None = None
) -> Page[Meter]:
    """Newest first, each with its newest version."""
    filters = {"status": status}
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        meters = await read_meters(
            tx, before=after[0] if after else None, limit=page.limit + 1, status=status
        )
    return _LISTING.page(
        meters, page, filters=filters, key=lambda one: (one.id,), to_response=to_response
    )


@router.get(
    "/{meter_code}",
    summary="Get a meter",
    responses={200: ETAG, **refusals.of_reading(meter_unknown)},
)
async def get_meter(reader: Reader, meter_code: str, response: Response) -> Meter:
    """With its newest version."""
    async with reader.tx() as tx:
        meter = await meter_by_code(tx, meter_code)
    response.headers["ETag"] = etag(meter.revision)
    return to_response(meter)


@router.get(
    "/{meter_code}/versions",
    summary="List versions of a meter",
    responses=refusals.of_listing(meter_unknown),
)
async def list_meter_versions(
    reader: Reader, meter_code: str, page: PageParameters
) -> Page[MeterVersion]:
    """Newest first."""
    filters = {"meter_code": meter_code}
    after = _VERSIONS.after(page, filters=filters)
    async with reader.tx() as tx:
        versions = await read_versions(
            tx, meter_code, before=after[0] if after else None, limit=page.limit + 1
        )
    return _VERSIONS.page(
        versions,
        page,
        filters=filters,
        key=lambda one: (one.number,),
        to_response=to_version,
    )


@router.patch(
    "/{meter_code}",
    response_model=Meter,
    summary="Update a meter",
    responses={
        200: ETAG,
        **refusals.of_writing(meter_unknown, meter_stale, meter_archived, meter_definition_unfit),
    },
)
async def update_meter(
    writer: Writer,
    meter_code: str,
    body: MeterUpdateInput,
    idempotent: Idempotent,
    if_match: IfMatch = None,
) -> Response:
    """Another definition makes a new version, by which everything is counted that is billed from now
    on; what was billed keeps its own.
    """

    async def update(tx: Tx) -> Meter:
        command = from_update_request(body, meter_code)
        command = replace(command, expected_revision=version_of(if_match))
        return to_response(await updating.update_meter(tx, command))

    return with_etag(await once(writer.tx(), idempotent, work=update))


@router.post(
    "/{meter_code}/archive",
    response_model=Meter,
    summary="Archive a meter",
    responses={200: ETAG, **refusals.of_writing(meter_unknown, meter_stale)},
)
async def archive_meter(
    writer: Writer, meter_code: str, idempotent: Idempotent, if_match: IfMatch = None
) -> Response:
    """It stays as it is; what names it goes on being counted. To archive it again changes nothing."""

    async def archive(tx: Tx) -> Meter:
        archived = await archiving.archive_meter(
            tx, meter_code, expected_revision=version_of(if_match)
        )
        return to_response(archived)

    return with_etag(await once(writer.tx(), idempotent, work=archive))
