"""What does the database know of cancellations?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from billwright.features.subscriptions.errors import cancellation_unknown
from billwright.features.subscriptions.model import (
    CancellationFeedback,
    CancellationMode,
    CancellationProration,
    CancellationReason,
    CancellationState,
    RequestedCancellation,
)
from billwright.kernel.actor import Actor, ActorKind
from billwright.runtime.db.tx import Tx

_COLUMNS = """c.id, c.account_id, c.subscription_id, c.plan_code, c.state, c.mode, c.cancel_at, c.reason,
    c.feedback, c.comment, c.proration, c.bills_final_usage, c.actor_kind, c.actor_name, c.actor_id,
    c.requested_at, c.undone_at, c.effective_at"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationFilter:
    """Which cancellations are asked for; those of an instant up to before another."""

    account_id: UUID | None = None
    subscription_id: UUID | None = None
    plan_code: str | None = None
    state: CancellationState | None = None
    reason: CancellationReason | None = None
    feedback: CancellationFeedback | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationCount:
    """How many cancellations of a kind were asked for in a month, and what has become of them."""

    month: date
    plan_code: str
    reason: CancellationReason
    feedback: CancellationFeedback | None
    requested: int
    pending: int
    effective: int
    undone: int


async def cancellation_by_id(tx: Tx, cancellation_id: UUID) -> RequestedCancellation:
    """One cancellation. Refuses: `cancellation_unknown`."""
    row = await tx.fetch_row(
        f"select {_COLUMNS} from cancellation c where c.tenant_id = $1 and c.id = $2",
        tx.tenant_id,
        cancellation_id,
    )
    if row is None:
        raise cancellation_unknown(cancellation_id=cancellation_id)
    return _from_row(row)


async def list_cancellations(
    tx: Tx, wanted: CancellationFilter, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[RequestedCancellation]:
    """Cancellations, the one that was asked for last first."""
    asked_before, before_id = after or (None, None)
    rows = await tx.fetch(
        f"""select {_COLUMNS} from cancellation c
            where c.tenant_id = $1
                and ($3::timestamptz is null or (c.requested_at, c.id) < ($3, $4::uuid))
                and ($5::uuid is null or c.account_id = $5)
                and ($6::uuid is null or c.subscription_id = $6)
                and ($7::text is null or c.plan_code = $7)
                and ($8::text is null or c.state = $8)
                and ($9::text is null or c.reason = $9)
                and ($10::text is null or c.feedback = $10)
                and ($11::timestamptz is null or c.requested_at >= $11)
                and ($12::timestamptz is null or c.requested_at < $12)
            order by c.requested_at desc, c.id desc limit $2""",
        tx.tenant_id,
        limit,
        asked_before,
        before_id,
        wanted.account_id,
        wanted.subscription_id,
        wanted.plan_code,
        wanted.state,
        wanted.reason,
        wanted.feedback,
        wanted.since,
        wanted.until,
    )
    return [_from_row(row) for row in rows]


async def count_cancellations(
    tx: Tx, *, since: datetime, until: datetime, zone: str
) -> list[CancellationCount]:
    """What was asked for from an instant up to before another, by month of a zone, plan, reason and
    feedback.
    """
    rows = await tx.fetch(
        """select date_trunc('month', c.requested_at at time zone $4)::date as month, c.plan_code,
               c.reason, c.feedback, count(*) as requested,
               count(*) filter (where c.state = 'pending') as pending,
               count(*) filter (where c.state = 'effective') as effective,
               count(*) filter (where c.state = 'undone') as undone
           from cancellation c
           where c.tenant_id = $1 and c.requested_at >= $2 and c.requested_at < $3
           group by 1, 2, 3, 4 order by 1, 2, 3, 4 nulls last""",
        tx.tenant_id,
        since,
        until,
        zone,
    )
    return [
        CancellationCount(
            month=row["month"],
            plan_code=row["plan_code"],
            reason=CancellationReason(row["reason"]),
            feedback=_feedback(row["feedback"]),
            requested=row["requested"],
            pending=row["pending"],
            effective=row["effective"],
            undone=row["undone"],
        )
        for row in rows
    ]


def _feedback(text: str | None) -> CancellationFeedback | None:
    return None if text is None else CancellationFeedback(text)


def _from_row(row: asyncpg.Record) -> RequestedCancellation:
    mode, proration, kind = row["mode"], row["proration"], row["actor_kind"]
    return RequestedCancellation(
        id=row["id"],
        account_id=row["account_id"],
        subscription_id=row["subscription_id"],
        plan_code=row["plan_code"],
        state=CancellationState(row["state"]),
        mode=CancellationMode(mode) if mode else None,
        cancel_at=row["cancel_at"],
        reason=CancellationReason(row["reason"]),
        feedback=_feedback(row["feedback"]),
        comment=row["comment"],
        proration=CancellationProration(proration) if proration else None,
        bills_final_usage=row["bills_final_usage"],
        actor=Actor(ActorKind(kind), row["actor_name"], row["actor_id"]) if kind else None,
        requested_at=row["requested_at"],
        undone_at=row["undone_at"],
        effective_at=row["effective_at"],
    )
