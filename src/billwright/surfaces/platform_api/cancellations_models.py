"""What does a cancellation look like in answers?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from billwright.features.subscriptions import model
from billwright.features.subscriptions.sql.reads_cancellations import CancellationCount
from billwright.surfaces.platform_api import subscriptions_words as words
from billwright.surfaces.platform_api.subscriptions_history import HistoryActor
from billwright.surfaces.web.wire import CalendarDate, Instant, ResponseModel

_STATE = "`pending` until it takes effect; `undone` when it was taken back or replaced by another."
_REASON = "Who or what ends the subscription."


class Cancellation(ResponseModel):
    """A cancellation that was asked for, or an end that came by itself."""

    id: Annotated[UUID, Field(description="Its id, which never changes.")]
    account_id: Annotated[UUID, Field(description="Whose subscription it is.")]
    subscription_id: Annotated[UUID, Field(description="What is canceled.")]
    plan_code: Annotated[str, Field(description="The plan that the subscription had then.")]
    state: Annotated[model.CancellationState, Field(description=_STATE)]
    mode: Annotated[model.CancellationMode | None, Field(description=words.CANCELLATION_MODE)]
    cancel_at: Annotated[
        Instant, Field(description="When it takes effect, has taken effect, or was to.")
    ]
    reason: Annotated[model.CancellationReason, Field(description=_REASON)]
    feedback: Annotated[model.CancellationFeedback | None, Field(description=words.FEEDBACK)]
    comment: Annotated[str | None, Field(description=words.COMMENT)]
    proration: Annotated[
        model.CancellationProration | None, Field(description=words.CANCELLATION_PRORATION)
    ]
    bills_final_usage: Annotated[bool, Field(description=words.FINAL_USAGE)]
    actor: Annotated[
        HistoryActor | None,
        Field(description="In whose name it was asked for; null where that was not recorded."),
    ]
    requested_at: Annotated[Instant, Field(description="When it was asked for, or came about.")]
    undone_at: Annotated[Instant | None, Field(description="When it was taken back.")]
    effective_at: Annotated[Instant | None, Field(description="When it took effect.")]


class CancellationReportRow(ResponseModel):
    """How many cancellations of one month, plan, reason and feedback there are."""

    month: Annotated[
        CalendarDate,
        Field(description="The first day of the month, in the seller's zone, in which they came."),
    ]
    plan_code: Annotated[str, Field(description="The plan that was canceled.")]
    reason: Annotated[model.CancellationReason, Field(description=_REASON)]
    feedback: Annotated[model.CancellationFeedback | None, Field(description=words.FEEDBACK)]
    requested: Annotated[int, Field(description="How many came, whatever became of them.")]
    pending: Annotated[int, Field(description="How many of them are yet to take effect.")]
    effective: Annotated[int, Field(description="How many of them have taken effect.")]
    undone: Annotated[int, Field(description="How many of them were taken back or replaced.")]


class CancellationReport(ResponseModel):
    """Cancellations from a day up to before another."""

    since: Annotated[CalendarDate, Field(description="The first day.")]
    until: Annotated[CalendarDate, Field(description="The day before which it ends.")]
    requested: Annotated[int, Field(description="How many came in all.")]
    pending: Annotated[int, Field(description="How many of them are yet to take effect.")]
    effective: Annotated[int, Field(description="How many of them have taken effect.")]
    undone: Annotated[int, Field(description="How many of them were taken back or replaced.")]
    rows: Annotated[
        list[CancellationReportRow],
        Field(description="By month, plan, reason and feedback; what does not occur is left out."),
    ]


def to_response(asked: model.RequestedCancellation) -> Cancellation:
    actor = asked.actor
    return Cancellation(
        id=asked.id,
        account_id=asked.account_id,
        subscription_id=asked.subscription_id,
        plan_code=asked.plan_code,
        state=asked.state,
        mode=asked.mode,
        cancel_at=asked.cancel_at,
        reason=asked.reason,
        feedback=asked.feedback,
        comment=asked.comment,
        proration=asked.proration,
        bills_final_usage=asked.bills_final_usage,
        actor=HistoryActor(kind=actor.kind, name=actor.name, id=actor.id) if actor else None,
        requested_at=asked.requested_at,
        undone_at=asked.undone_at,
        effective_at=asked.effective_at,
    )


def to_report(
    counts: Sequence[CancellationCount], *, since: date, until: date
) -> CancellationReport:
    return CancellationReport(
        since=since,
        until=until,
        requested=sum(one.requested for one in counts),
        pending=sum(one.pending for one in counts),
        effective=sum(one.effective for one in counts),
        undone=sum(one.undone for one in counts),
        rows=[
            CancellationReportRow(
                month=one.month,
                plan_code=one.plan_code,
                reason=one.reason,
                feedback=one.feedback,
                requested=one.requested,
                pending=one.pending,
                effective=one.effective,
                undone=one.undone,
            )
            for one in counts
        ],
    )
