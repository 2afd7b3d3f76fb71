"""How do review tasks change?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.payments.model import NewReviewTask, ReviewState
from billwright.runtime.db.tx import Tx


async def insert_review_task(tx: Tx, task: NewReviewTask, *, task_id: UUID) -> bool:
    """Store a finding; false when there is a task for it already, open or resolved."""
    row = {
        "id": task_id,
        "kind": task.kind,
        "subject_type": task.subject_type,
        "subject_id": task.subject_id,
        "account_id": task.account_id,
        "details": task.details,
        "dedup_key": task.dedup_key,
        "state": ReviewState.OPEN,
        "created_at": tx.now,
    }
    stored = await tx.insert("review_task", [row], on_conflict="on conflict do nothing")
    return bool(stored)


async def resolve_task(tx: Tx, task_id: UUID, *, resolution: str) -> bool:
    """Store what a person decided; false when it is resolved already, or there is none."""
    resolved = await tx.execute(
        """update review_task
           set state = 'resolved', resolution = $3, resolved_by = $4, resolved_at = $5
           where tenant_id = $1 and id = $2 and state = 'open'""",
        tx.tenant_id,
        task_id,
        resolution,
        tx.actor.name,
        tx.now,
    )
    return resolved == 1


async def release_key(tx: Tx, dedup_key: str) -> None:
    """Let what is found under a key be a new task, and leave the one that there is as it is."""
    await tx.execute(
        """update review_task set dedup_key = dedup_key || ':' || id
           where tenant_id = $1 and dedup_key = $2""",
        tx.tenant_id,
        dedup_key,
    )
