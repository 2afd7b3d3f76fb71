"""How does usage become durable?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billwright.features.usage.model import NewUsage
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


async def insert_events(
    tx: Tx, events: Sequence[NewUsage], *, account_id: UUID, subscription_id: UUID
) -> int:
    """Store the events that are not stored yet; how many those were.

    All insert in the order of identities, so that two transactions with the same events wait for each
    other one way only.
    """
    return await tx.insert(
        "usage_event",
        [
            {
                "id": new_id(),
                "source": event.source,
                "event_id": event.event_id,
                "account_id": account_id,
                "subscription_id": subscription_id,
                "meter": event.meter,
                "quantity": event.quantity,
                "occurred_at": event.occurred_at,
                "received_at": tx.now,
            }
            for event in sorted(events, key=lambda event: (event.source, event.event_id))
        ],
        on_conflict="on conflict do nothing",
    )
