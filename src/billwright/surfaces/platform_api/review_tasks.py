"""What does a seller have to decide by itself about payments?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.responses import Response

from billwright.features.payments import model
from billwright.features.payments.errors import review_task_unknown
from billwright.features.payments.operations import resolve_review_task as resolving
from billwright.features.payments.sql.reads_reviews import list_review_tasks as read_review_tasks
from billwright.features.payments.sql.reads_reviews import review_task_by_id
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import Instant, RequestModel, ResponseModel, Text

router = APIRouter(prefix="/review-tasks", tags=["payments"])

_LISTING = Listing("review-tasks", tuple[UUID])


class ReviewSubject(ResponseModel):
    """What a review task is about."""

    type: Annotated[str, Field(description="`payment`, `refund`, `dispute` or another noun.")]
    id: Annotated[UUID | None, Field(description="Null for what is not known here.")]


class ReviewTask(ResponseModel):
    """Something that only a person can decide; the same finding is one task."""

    id: UUID
    kind: model.ReviewKind
    subject: ReviewSubject
    account_id: Annotated[UUID | None, Field(description="Whose it is, where that is known.")]
    details: Annotated[
        dict[str, object], Field(description="What was found, to be read by a person.")
    ]
    state: model.ReviewState
    resolution: Annotated[str | None, Field(description="What was found out and done.")]
    resolved_by: Annotated[str | None, Field(description="Who closed it.")]
    resolved_at: Instant | None
    created_at: Instant


class ResolutionInput(RequestModel):
    """What was found out and done about a review task."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"resolution": "The bank has confirmed that nothing was debited."}]
        }
    )

    resolution: Text


def to_response(task: model.ReviewTask) -> ReviewTask:
    return ReviewTask(
        id=task.id,
        kind=task.kind,
        subject=ReviewSubject(type=task.subject_type, id=task.subject_id),
        account_id=task.account_id,
        details=dict(task.details),
        state=task.state,
        resolution=task.resolution,
        resolved_by=task.resolved_by,
        resolved_at=task.resolved_at,
        created_at=task.created_at,
    )


@router.get("", summary="List review tasks", responses=refusals.of_listing())
async def list_review_tasks(
    reader: Reader,
    page: PageParameters,
    kind: model.ReviewKind | None = None,
    state: model.ReviewState | None = None,
    account_id: UUID | None = None,
) -> Page[ReviewTask]:
    """Newest first."""
    filters = {"kind": kind, "state": state, "account_id": account_id}
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        tasks = await read_review_tasks(
            tx,
            before=after[0] if after else None,
            limit=page.limit + 1,
            kind=kind,
            state=state,
            account_id=account_id,
        )
    return _LISTING.page(
        tasks, page, filters=filters, key=lambda task: (task.id,), to_response=to_response
    )


@router.get(
    "/{task_id}", summary="Get a review task", responses=refusals.of_reading(review_task_unknown)
)
async def get_review_task(reader: Reader, task_id: UUID) -> ReviewTask:
    async with reader.tx() as tx:
        return to_response(await review_task_by_id(tx, task_id))


@router.post(
    "/{task_id}/resolve",
    response_model=ReviewTask,
    summary="Resolve a review task",
    responses=refusals.of_writing(review_task_unknown),
)
async def resolve_review_task(
    writer: Writer, task_id: UUID, body: ResolutionInput, idempotent: Idempotent
) -> Response:
    """Keeps what was decided and by whom; nothing else changes. To resolve it again changes nothing: the
    first resolution stays.
    """

    async def resolve(tx: Tx) -> ReviewTask:
        command = resolving.ResolveReviewTask(task_id, body.resolution)
        return to_response(await resolving.resolve_review_task(tx, command))

    return await once(writer.tx(), idempotent, work=resolve)
