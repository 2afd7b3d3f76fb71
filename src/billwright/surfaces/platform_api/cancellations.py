"""How does a platform see who has canceled, and why, and how is that undone?"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from billwright.features.accounts.errors import account_parked
from billwright.features.subscriptions import model
from billwright.features.subscriptions.errors import (
    cancellation_unknown,
    nothing_pending,
    report_period_invalid,
    version_stale,
)
from billwright.features.subscriptions.operations.report_cancellations import report_cancellations
from billwright.features.subscriptions.operations.undo import (
    UndoRequestedCancellation,
    undo_requested_cancellation,
)
from billwright.features.subscriptions.sql import reads_cancellations as reads
from billwright.kernel.state_machine import state_forbids
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.platform_api.cancellations_models import (
    Cancellation,
    CancellationReport,
    to_report,
    to_response,
)
from billwright.surfaces.platform_api.versions import IfMatch, version_of
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import CalendarDate, Code, Instant

router = APIRouter(prefix="/cancellations", tags=["subscriptions"])

_LISTING = Listing("cancellations", tuple[datetime, UUID])


@router.get("", summary="List cancellations", responses=refusals.of_listing())
async def list_cancellations(
    reader: Reader,
    page: PageParameters,
    account_id: Annotated[UUID | None, Query(description="Only this account's.")] = None,
    subscription_id: Annotated[UUID | None, Query(description="Only this subscription's.")] = None,
    plan_code: Annotated[Code | None, Query(description="Only of this plan.")] = None,
    state: Annotated[
        model.CancellationState | None, Query(description="Only in this state.")
    ] = None,
    reason: Annotated[
        model.CancellationReason | None, Query(description="Only for this reason.")
    ] = None,
    feedback: Annotated[
        model.CancellationFeedback | None, Query(description="Only with this feedback.")
    ] = None,
    requested_after: Annotated[
        Instant | None, Query(description="Only what was asked for at this instant or later.")
    ] = None,
    requested_before: Annotated[
        Instant | None, Query(description="Only what was asked for before this instant.")
    ] = None,
) -> Page[Cancellation]:
    """Newest first; ends that came by themselves are among them, with their reason."""
    filters = {
        "account_id": account_id,
        "subscription_id": subscription_id,
        "plan_code": plan_code,
        "state": state,
        "reason": reason,
        "feedback": feedback,
        "requested_after": requested_after,
        "requested_before": requested_before,
    }
    wanted = reads.CancellationFilter(
        account_id=account_id,
        subscription_id=subscription_id,
        plan_code=plan_code,
        state=state,
        reason=reason,
        feedback=feedback,
        since=requested_after,
        until=requested_before,
    )
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        found = await reads.list_cancellations(tx, wanted, after=after, limit=page.limit + 1)
    return _LISTING.page(
        found,
        page,
        filters=filters,
        key=lambda one: (one.requested_at, one.id),
        to_response=to_response,
    )


@router.get(
    "/report",
    summary="Report why customers cancel",
    responses=refusals.of_reading(report_period_invalid),
)
async def get_cancellation_report(
    reader: Reader,
    since: Annotated[CalendarDate, Query(description="The first day, in the seller's zone.")],
    until: Annotated[
        CalendarDate,
        Query(description="The day before which it ends; at most 24 months after `since`."),
    ],
) -> CancellationReport:
    """Counts by month, plan, reason and feedback."""
    async with reader.tx() as tx:
        counts = await report_cancellations(tx, since=since, until=until)
    return to_report(counts, since=since, until=until)


@router.get(
    "/{cancellation_id}",
    summary="Get a cancellation",
    responses=refusals.of_reading(cancellation_unknown),
)
async def get_cancellation(reader: Reader, cancellation_id: UUID) -> Cancellation:
    async with reader.tx() as tx:
        return to_response(await reads.cancellation_by_id(tx, cancellation_id))


@router.post(
    "/{cancellation_id}/undo",
    response_model=Cancellation,
    summary="Undo a cancellation by its id",
    responses=refusals.of_writing(
        cancellation_unknown, nothing_pending, version_stale, account_parked, state_forbids
    ),
)
async def undo_cancellation_by_id(
    writer: Writer, cancellation_id: UUID, idempotent: Idempotent, if_match: IfMatch = None
) -> Response:
    """As long as it has not taken effect. `If-Match` is the version of the subscription."""

    async def work(tx: Tx) -> Cancellation:
        command = UndoRequestedCancellation(
            cancellation_id=cancellation_id, expected_version=version_of(if_match)
        )
        return to_response(await undo_requested_cancellation(tx, command))

    return await once(writer.tx(), idempotent, work=work)
