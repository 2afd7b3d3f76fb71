"""How is a person asked to decide what no program can?"""

from __future__ import annotations

from billwright.features.payments.events import ReviewRequested
from billwright.features.payments.model import NewReviewTask
from billwright.features.payments.sql.writes_reviews import insert_review_task
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


async def open_review_task(tx: Tx, task: NewReviewTask) -> bool:
    """Keep a finding for a person, once: false when there is or was a task for it already, so that what
    a person has resolved does not come back because it is found again.
    """
    task_id = new_id()
    if not await insert_review_task(tx, task, task_id=task_id):
        return False
    tx.audit(
        "review_task.open",
        subject_type="review_task",
        subject_id=task_id,
        details={"kind": task.kind, "dedup_key": task.dedup_key},
    )
    tx.publish(
        ReviewRequested(
            subject_id=task_id,
            account_id=task.account_id,
            kind=task.kind,
            about_type=task.subject_type,
            about_id=task.subject_id,
        )
    )
    return True
