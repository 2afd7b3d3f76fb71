"""What was done to a subscription, by whom and when?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.subscriptions.model import HistoryEntry
from billwright.kernel.actor import Actor, ActorKind
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx


async def history_of(
    tx: Tx, subscription_id: UUID, *, before: UUID | None, limit: int
) -> list[HistoryEntry]:
    """What was recorded of a subscription, newest first, after the entry named `before` in that
    order.
    """
    rows = await tx.fetch(
        """select id, action, actor_kind, actor_name, actor_id, cause, occurred_at, details
           from audit_entry
           where tenant_id = $1 and subject_id = $2 and ($3::uuid is null or id < $3)
           order by id desc limit $4""",
        tx.tenant_id,
        subscription_id,
        before,
        limit,
    )
    return [
        HistoryEntry(
            id=row["id"],
            action=row["action"],
            actor=Actor(ActorKind(row["actor_kind"]), row["actor_name"], row["actor_id"]),
            cause=row["cause"],
            occurred_at=row["occurred_at"],
            details=from_json(row["details"]),
        )
        for row in rows
    ]
