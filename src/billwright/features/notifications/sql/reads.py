"""What does the database know of messages?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from billwright.features.notifications.errors import notification_request_unknown
from billwright.features.notifications.model import (
    NotificationRequest,
    RecipientRole,
    RequestId,
    RequestState,
)
from billwright.runtime.db.conditions import Conditions
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx

REQUEST_COLUMNS = """r.id, r.type, r.version, r.account_id, r.contact_id, r.user_id, r.to_address,
    r.recipient_role, r.locale, r.subject_type, r.subject_id, r.sequence, r.data, r.dedup_key,
    r.priority, r.state, r.attempts, r.next_attempt_at, r.last_error, r.occurred_at, r.expires_at,
    r.delivered_at"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestQuery:
    """Which requests are wanted; none is any."""

    account_id: UUID | None = None
    subject_id: UUID | None = None
    type: str | None = None
    state: RequestState | None = None


async def list_requests(
    tx: Tx, query: RequestQuery, *, before: UUID | None, limit: int
) -> list[NotificationRequest]:
    """Requests, newest first, that come after the one named `before` in that order."""
    wanted = Conditions("r.tenant_id = {}", tx.tenant_id)
    wanted.add("r.id < {}", before)
    wanted.add("r.account_id = {}", query.account_id)
    wanted.add("r.subject_id = {}", query.subject_id)
    wanted.add("r.type = {}", query.type)
    wanted.add("r.state = {}", query.state)
    most = wanted.parameter(limit)
    rows = await tx.fetch(
        f"""select {REQUEST_COLUMNS} from notification_request r
            where {wanted.sql}
            order by r.id desc limit {most}""",
        *wanted.values,
    )
    return [request_from_row(row) for row in rows]


async def request_by_id(tx: Tx, request_id: RequestId) -> NotificationRequest:
    """A request. Refuses: `notification_request_unknown`."""
    row = await tx.fetch_row(
        f"select {REQUEST_COLUMNS} from notification_request r where r.tenant_id = $1 and r.id = $2",
        tx.tenant_id,
        request_id,
    )
    if row is None:
        raise notification_request_unknown(request_id=request_id)
    return request_from_row(row)


async def latest_to_users(tx: Tx, user_ids: Sequence[UUID]) -> dict[tuple[UUID, str], int]:
    """The sequence of the last request to each user, by what it says."""
    rows = await tx.fetch(
        """select user_id, type, max(sequence) as last from notification_request
           where tenant_id = $1 and user_id = any($2::uuid[]) group by user_id, type""",
        tx.tenant_id,
        user_ids,
    )
    return {(row["user_id"], row["type"]): row["last"] for row in rows}


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
        contact_id=row["contact_id"],
        user_id=row["user_id"],
        to_address=row["to_address"],
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
