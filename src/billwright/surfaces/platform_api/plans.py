"""How does a platform say what it sells?"""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from billwright.features.catalog.errors import (
    component_code_repeated,
    feature_code_repeated,
    feature_kind_differs,
    feature_value_invalid,
    plan_code_taken,
    plan_unknown,
    price_currencies_differ,
)
from billwright.features.catalog.operations import create_plan as operation
from billwright.features.catalog.sql.reads import list_plans as read_plans
from billwright.features.catalog.sql.reads import plan_by_code
from billwright.features.tax.errors import tax_category_unknown
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.platform_api.plans_models import (
    Plan,
    PlanInput,
    from_request,
    to_response,
)
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters

router = APIRouter(prefix="/plans", tags=["plans"])

_LISTING = Listing("plans", tuple[UUID])


@router.post(
    "",
    status_code=201,
    response_model=Plan,
    summary="Create a plan",
    responses=refusals.of_writing(
        plan_code_taken,
        component_code_repeated,
        price_currencies_differ,
        tax_category_unknown,
        feature_code_repeated,
        feature_kind_differs,
        feature_value_invalid,
    ),
)
async def create_plan(writer: Writer, body: PlanInput, idempotent: Idempotent) -> Response:
    """Features are shared by all plans: one that does not exist yet is created with the plan."""

    async def create(tx: Tx) -> Plan:
        return to_response(await operation.create_plan(tx, from_request(body)))

    return await once(writer.tx(), idempotent, work=create)


@router.get("", summary="List plans", responses=refusals.of_listing())
async def list_plans(reader: Reader, page: PageParameters) -> Page[Plan]:
    """Newest first, each with its newest version."""
    after = _LISTING.after(page)
    async with reader.tx() as tx:
        plans = await read_plans(tx, before=after[0] if after else None, limit=page.limit + 1)
    return _LISTING.page(plans, page, key=lambda plan: (plan.id,), to_response=to_response)


@router.get("/{plan_code}", summary="Get a plan", responses=refusals.of_reading(plan_unknown))
async def get_plan(reader: Reader, plan_code: str) -> Plan:
    """With its newest version, which new subscriptions get."""
    async with reader.tx() as tx:
        return to_response(await plan_by_code(tx, plan_code))
