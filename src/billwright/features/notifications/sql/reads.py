"""What does the database know of messages?"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg

from billwright.features.notifications.model import (
    NotificationRequest,
    RecipientRole,
    RequestId,
    RequestState,
)
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx

REQUEST_COLUMNS = """r.id, r.type, r.version, r.account_id, r.recipient_role, r.locale, r.subject_type,
    r.subject_id, r.sequence, r.data, r.dedup_key, r.priority, r.state, r.attempts, r.next_attempt_at,
    r.last_error, r.occurred_at, r.expires_at, r.delivered_at"""


async def list_requests(
    tx: Tx,
    *,
    before: UUID | None,
    limit: int,
    account_id: UUID | None = None,
    state: RequestState | None = None,
) -> list[NotificationRequest]:
    """Requests, newest first, that come after the one named `before` in that order."""
    rows = await tx.fetch(
        f"""select {REQUEST_COLUMNS} from notification_request r
            where r.tenant_id = $1 and ($2::uuid is null or r.id < $2)
                and ($4::uuid is null or r.account_id = $4)
                and ($5::text is null or r.state = $5)
            order by r.id desc limit $3""",
        tx.tenant_id,
        before,
        limit,
        account_id,
        state.value if state else None,
    )
    return [request_from_row(row) for row in rows]


async def stopped_types(tx: Tx, *, since: datetime) -> set[str]:
    """The types that the notification service has stopped since an instant."""
    rows = await tx.fetch(
        "select type from notification_stop where tenant_id = $1 and stopped_at > $2",
        tx.tenant_id,
        since,
    )
    return {row["type"] for row in rows}


def request_from_row(row: asyncpg.Record) -> NotificationRequest:
    """A request from a row that holds its columns."""
    return NotificationRequest(
        id=RequestId(row["id"]),
        type=row["type"],
        version=row["version"],
        account_id=row["account_id"],
        recipient_role=RecipientRole(row["recipient_role"]),
        locale=row["locale"],
        subject_type=row["subject_type"],
        subject_id=row["subject_id"],
        sequence=row["sequence"],
        data=from_json(row["data"]),
        dedup_key=row["dedup_key"],
        priority=row["priority"],
        state=RequestState(row["state"]),
        attempts=row["attempts"],
        next_attempt_at=row["next_attempt_at"],
        last_error=row["last_error"],
        occurred_at=row["occurred_at"],
        expires_at=row["expires_at"],
        delivered_at=row["delivered_at"],
    )
