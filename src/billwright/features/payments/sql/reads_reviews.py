"""What waits for a person, and what did they decide?"""

from __future__ import annotations

from uuid import UUID

import asyncpg

from billwright.features.payments.errors import review_task_unknown
from billwright.features.payments.model import ReviewKind, ReviewState, ReviewTask
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx

_COLUMNS = """id, kind, subject_type, subject_id, account_id, details, state, resolution, resolved_by,
    resolved_at, created_at"""


async def review_task_by_id(tx: Tx, task_id: UUID) -> ReviewTask:
    """One task. Refuses: `review_task_unknown`."""
    row = await tx.fetch_row(
        f"select {_COLUMNS} from review_task where tenant_id = $1 and id = $2",
        tx.tenant_id,
        task_id,
    )
    if row is None:
        raise review_task_unknown(task_id=task_id)
    return _task_from_row(row)


async def list_review_tasks(
    tx: Tx,
    *,
    before: UUID | None,
    limit: int,
    kind: ReviewKind | None = None,
    state: ReviewState | None = None,
    account_id: UUID | None = None,
) -> list[ReviewTask]:
    """Tasks, newest first, that come after the one named `before` in that order."""
    rows = await tx.fetch(
        f"""select {_COLUMNS} from review_task
            where tenant_id = $1 and ($2::uuid is null or id < $2)
                and ($4::text is null or kind = $4)
                and ($5::text is null or state = $5)
                and ($6::uuid is null or account_id = $6)
            order by id desc limit $3""",
        tx.tenant_id,
        before,
        limit,
        kind,
        state,
        account_id,
    )
    return [_task_from_row(row) for row in rows]


async def is_under_review(tx: Tx, dedup_key: str) -> bool:
    """Whether a finding waits for a person still."""
    state = await tx.fetch_value(
        "select state from review_task where tenant_id = $1 and dedup_key = $2",
        tx.tenant_id,
        dedup_key,
    )
    return bool(state == ReviewState.OPEN)


def _task_from_row(row: asyncpg.Record) -> ReviewTask:
    return ReviewTask(
        id=row["id"],
        kind=ReviewKind(row["kind"]),
        subject_type=row["subject_type"],
        subject_id=row["subject_id"],
        account_id=row["account_id"],
        details=from_json(row["details"]),
        state=ReviewState(row["state"]),
        resolution=row["resolution"],
        resolved_by=row["resolved_by"],
        resolved_at=row["resolved_at"],
        created_at=row["created_at"],
    )
