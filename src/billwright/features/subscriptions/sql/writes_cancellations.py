"""How does it become durable what was asked for to end subscriptions?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from billwright.features.subscriptions.model import CancellationState, RequestedCancellation
from billwright.runtime.db.tx import Tx


async def insert_cancellations(tx: Tx, asked: Sequence[RequestedCancellation]) -> None:
    """Store cancellations that were asked for, or ends that came by themselves."""
    await tx.insert(
        "cancellation",
        [
            {
                "id": one.id,
                "account_id": one.account_id,
                "subscription_id": one.subscription_id,
                "plan_code": one.plan_code,
                "state": one.state,
                "mode": one.mode,
                "cancel_at": one.cancel_at,
                "reason": one.reason,
                "feedback": one.feedback,
                "comment": one.comment,
                "proration": one.proration,
                "bills_final_usage": one.bills_final_usage,
                "actor_kind": one.actor.kind if one.actor else None,
                "actor_name": one.actor.name if one.actor else None,
                "actor_id": one.actor.id if one.actor else None,
                "requested_at": one.requested_at,
                "effective_at": one.effective_at,
            }
            for one in asked
        ],
    )


async def conclude_cancellations(
    tx: Tx, concluded: Mapping[UUID, datetime], *, state: CancellationState
) -> None:
    """Store that the pending cancellations of subscriptions were undone, or took effect, and when."""
    if not concluded:
        return
    await tx.execute(
        """update cancellation c
           set state = $2,
               undone_at = case when $2 = 'undone' then d.at end,
               effective_at = case when $2 = 'effective' then d.at end,
               cancel_at = case when $2 = 'effective' then d.at else c.cancel_at end
           from unnest($3::uuid[], $4::timestamptz[]) as d (subscription_id, at)
           where c.tenant_id = $1 and c.subscription_id = d.subscription_id
               and c.state = 'pending'""",
        tx.tenant_id,
        state.value,
        list(concluded),
        list(concluded.values()),
    )


async def move_cancellations(tx: Tx, moved: Mapping[UUID, datetime]) -> None:
    """Store that pending cancellations take effect at other instants."""
    if not moved:
        return
    await tx.execute(
        """update cancellation c set cancel_at = m.at
           from unnest($2::uuid[], $3::timestamptz[]) as m (subscription_id, at)
           where c.tenant_id = $1 and c.subscription_id = m.subscription_id
               and c.state = 'pending'""",
        tx.tenant_id,
        list(moved),
        list(moved.values()),
    )
