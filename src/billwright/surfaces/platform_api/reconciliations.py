"""When were a provider's books compared with ours, and what came of it?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from billwright.features.payments.rules.reconciliation import Reconciliation as Run
from billwright.features.payments.sql.reads_reconciliation import (
    list_reconciliations as read_reconciliations,
)
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import Code, Instant, ResponseModel

router = APIRouter(prefix="/reconciliations", tags=["payments"])

_LISTING = Listing("reconciliations", tuple[UUID])


class Reconciliation(ResponseModel):
    """A run that compared everything that a provider lists for a time with what is booked: payments,
    refunds and disputes.
    """

    id: UUID
    provider: str
    since: Instant
    until: Instant
    compared: Annotated[
        int,
        Field(description="How many payments, refunds and disputes of this tenant it saw."),
    ]
    mended: Annotated[
        int,
        Field(
            description="Those of which only the provider knew how they stand, and which it booked."
        ),
    ]
    differences: Annotated[
        int,
        Field(
            description="Those that only a person can explain: review tasks of the kind "
            "`reconciliation_difference` that are open."
        ),
    ]
    foreign_payments: Annotated[
        int,
        Field(
            description="Payments that carry another name than this tenant's, or none; not looked at."
        ),
    ]
    finished_at: Instant


def to_response(run: Run) -> Reconciliation:
    return Reconciliation(
        id=run.id,
        provider=run.provider,
        since=run.window.since,
        until=run.window.until,
        compared=run.compared,
        mended=run.mended,
        differences=run.differences,
        foreign_payments=run.foreign_payments,
        finished_at=run.finished_at,
    )


@router.get("", summary="List reconciliations", responses=refusals.of_listing())
async def list_reconciliations(
    reader: Reader, page: PageParameters, provider: Code | None = None
) -> Page[Reconciliation]:
    """Newest first."""
    filters = {"provider": provider}
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        runs = await read_reconciliations(
            tx, before=after[0] if after else None, limit=page.limit + 1, provider=provider
        )
    return _LISTING.page(
        runs, page, filters=filters, key=lambda run: (run.id,), to_response=to_response
    )
