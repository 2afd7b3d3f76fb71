"""How does a person say what they decided?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billwright.features.payments.model import ReviewTask
from billwright.features.payments.sql.reads_reviews import review_task_by_id
from billwright.features.payments.sql.writes_reviews import resolve_task
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True)
class ResolveReviewTask:
    """Close a task; `resolution` says what was found out and done."""

    task_id: UUID
    resolution: str


async def resolve_review_task(tx: Tx, command: ResolveReviewTask) -> ReviewTask:
    """Keep what a person decided, and who they are. Nothing else changes, and what was resolved before
    stays as it was resolved.

    Refuses: `review_task_unknown`.
    """
    if await resolve_task(tx, command.task_id, resolution=command.resolution):
        tx.audit(
            "review_task.resolve",
            subject_type="review_task",
            subject_id=command.task_id,
            details=command,
        )
    return await review_task_by_id(tx, command.task_id)
