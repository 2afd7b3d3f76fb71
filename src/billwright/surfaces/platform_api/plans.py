"""How does a platform say what it sells?"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path
from starlette.responses import Response

from billwright.features.catalog.errors import (
    calendar_day_unsuitable,
    component_code_repeated,
    component_member_unsuitable,
    component_meter_missing,
    component_timing_unsuitable,
    feature_add_on_unknown,
    feature_code_repeated,
    feature_kind_differs,
    minimum_out_of_range,
    minimum_without_price,
    plan_archived,
    plan_code_taken,
    plan_stale,
    plan_unknown,
    plan_version_stale,
    plan_version_unknown,
    price_currencies_differ,
)
from billwright.features.catalog.model import PlanStatus
from billwright.features.catalog.operations import archive_plan as archiving
from billwright.features.catalog.operations import create_plan as operation
from billwright.features.catalog.operations import create_plan_version as versioning
from billwright.features.catalog.operations import update_plan as updating
from billwright.features.catalog.sql.reads import (
    PlanFilter,
    plan_by_code,
    plan_version_by_number,
)
from billwright.features.catalog.sql.reads import list_plan_versions as read_plan_versions
from billwright.features.catalog.sql.reads import list_plans as read_plans
from billwright.features.tax.errors import tax_category_unknown
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.platform_api.features import DEFINITION_REFUSALS
from billwright.surfaces.platform_api.plans_answers import (
    Plan,
    PlanVersion,
    to_response,
    to_version_response,
)
from billwright.surfaces.platform_api.plans_models import (
    PlanInput,
    PlanUpdateInput,
    PlanVersionInput,
    from_request,
    from_update_request,
    from_version_request,
)
from billwright.surfaces.platform_api.versions import ETAG, IfMatch, etag, version_of, with_etag
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.metadata_filter import METADATA_PARAMETER, MetadataFilter
from billwright.surfaces.web.pages import Listing, Page, PageParameters

router = APIRouter(prefix="/plans", tags=["plans"])

_LARGEST_NUMBER = 2**31 - 1

_LISTING = Listing("plans", tuple[UUID])
_VERSIONS = Listing("plan_versions", tuple[Annotated[int, msgspec.Meta(ge=1, le=_LARGEST_NUMBER)]])

_OF_TERMS = (
    component_code_repeated,
    component_timing_unsuitable,
    component_meter_missing,
    component_member_unsuitable,
    price_currencies_differ,
    minimum_without_price,
    minimum_out_of_range,
    calendar_day_unsuitable,
    tax_category_unknown,
    feature_code_repeated,
    feature_kind_differs,
    feature_add_on_unknown,
    *DEFINITION_REFUSALS,
)


@router.post(
    "",
    status_code=201,
    response_model=Plan,
    summary="Create a plan",
    responses={201: ETAG, **refusals.of_writing(plan_code_taken, *_OF_TERMS)},
)
async def create_plan(writer: Writer, body: PlanInput, idempotent: Idempotent) -> Response:
    """Features are shared by all plans: one that does not exist yet is created with the plan."""

    async def create(tx: Tx) -> Plan:
        return to_response(await operation.create_plan(tx, from_request(body)))

    return with_etag(await once(writer.tx(), idempotent, work=create))


@router.get(
    "", summary="List plans", responses=refusals.of_listing(), openapi_extra=METADATA_PARAMETER
)
async def list_plans(
    reader: Reader,
    page: PageParameters,
    metadata: MetadataFilter,
    status: PlanStatus | None = None,
) -> Page[Plan]:
    """Newest first, each with its newest version."""
    filters: PlanFilter = {"status": status, "metadata": metadata}
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        plans = await read_plans(
            tx, before=after[0] if after else None, limit=page.limit + 1, **filters
        )
    return _LISTING.page(
        plans, page, filters=filters, key=lambda plan: (plan.id,), to_response=to_response
    )


@router.get(
    "/{plan_code}",
    summary="Get a plan",
    responses={200: ETAG, **refusals.of_reading(plan_unknown)},
)
async def get_plan(reader: Reader, plan_code: str, response: Response) -> Plan:
    """With its newest version, which new subscriptions get."""
    async with reader.tx() as tx:
        plan = await plan_by_code(tx, plan_code)
    response.headers["ETag"] = etag(plan.revision)
    return to_response(plan)


@router.patch(
    "/{plan_code}",
    response_model=Plan,
    summary="Update a plan",
    responses={200: ETAG, **refusals.of_writing(plan_unknown, plan_stale)},
)
async def update_plan(
    writer: Writer,
    plan_code: str,
    body: PlanUpdateInput,
    idempotent: Idempotent,
    if_match: IfMatch = None,
) -> Response:
    """What it is called. Prices and terms change by a new version."""

    async def update(tx: Tx) -> Plan:
        command = from_update_request(body, plan_code)
        command = replace(command, expected_revision=version_of(if_match))
        return to_response(await updating.update_plan(tx, command))

    return with_etag(await once(writer.tx(), idempotent, work=update))


@router.post(
    "/{plan_code}/archive",
    response_model=Plan,
    summary="Archive a plan",
    responses={200: ETAG, **refusals.of_writing(plan_unknown, plan_stale)},
)
async def archive_plan(
    writer: Writer, plan_code: str, idempotent: Idempotent, if_match: IfMatch = None
) -> Response:
    """It is sold no more; subscriptions that exist go on. To archive it again changes nothing."""

    async def archive(tx: Tx) -> Plan:
        archived = await archiving.archive_plan(
            tx, plan_code, expected_revision=version_of(if_match)
        )
        return to_response(archived)

    return with_etag(await once(writer.tx(), idempotent, work=archive))


@router.post(
    "/{plan_code}/versions",
    status_code=201,
    response_model=PlanVersion,
    summary="Create a version of a plan",
    responses=refusals.of_writing(plan_unknown, plan_archived, plan_version_stale, *_OF_TERMS),
)
async def create_plan_version(
    writer: Writer, plan_code: str, body: PlanVersionInput, idempotent: Idempotent
) -> Response:
    """New subscriptions get it from now on; those that exist keep the version they were sold."""

    async def create(tx: Tx) -> PlanVersion:
        command = from_version_request(body, plan_code)
        return to_version_response(await versioning.create_plan_version(tx, command))

    return await once(writer.tx(), idempotent, work=create)


@router.get(
    "/{plan_code}/versions",
    summary="List versions of a plan",
    responses=refusals.of_listing(plan_unknown),
)
async def list_plan_versions(
    reader: Reader, plan_code: str, page: PageParameters
) -> Page[PlanVersion]:
    """Newest first."""
    filters = {"plan_code": plan_code}
    after = _VERSIONS.after(page, filters=filters)
    async with reader.tx() as tx:
        versions = await read_plan_versions(
            tx, plan_code, before=after[0] if after else None, limit=page.limit + 1
        )
    return _VERSIONS.page(
        versions,
        page,
        filters=filters,
        key=lambda version: (version.number,),
        to_response=to_version_response,
    )


@router.get(
    "/{plan_code}/versions/{number}",
    summary="Get a version of a plan",
    responses=refusals.of_reading(plan_version_unknown),
)
async def get_plan_version(
    reader: Reader, plan_code: str, number: Annotated[int, Path(ge=1, le=_LARGEST_NUMBER)]
) -> PlanVersion:
    """Also one that is no longer sold, as subscriptions may have it."""
    async with reader.tx() as tx:
        version = await plan_version_by_number(tx, plan_code=plan_code, number=number)
    return to_version_response(version)
