"""How does a reaction run at least once, and take effect once?"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from billwright.kernel.actor import system_actor
from billwright.kernel.ids import TenantId
from billwright.runtime.db.database import Database
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx
from billwright.runtime.queue.registry import Reaction, Recorded, Registry


async def react(
    database: Database, registry: Registry, *, tenant_id: TenantId, payload: dict[str, Any]
) -> None:
    """Run one reaction over the events that its job names, less those it has handled before."""
    reaction = registry.reaction(payload["reaction"])
    async with database.tx(tenant_id, actor=system_actor(reaction.name), cause=reaction.name) as tx:
        fresh = await _claim(tx, reaction, event_ids=[UUID(text) for text in payload["events"]])
        if fresh:
            await reaction.run(tx, fresh)


async def _claim(tx: Tx, reaction: Reaction, *, event_ids: list[UUID]) -> list[Recorded]:
    """Mark events as handled and return the ones that were not; a second worker waits here."""
    rows = await tx.fetch(
        """with fresh as (
               insert into handled_event (tenant_id, reaction, event_id)
               select $1, $2, id from unnest($3::uuid[]) as asked (id) order by id
               on conflict do nothing
               returning event_id
           )
           select e.id, e.occurred_at, e.subject_id, e.account_id, e.data
           from event e join fresh on fresh.event_id = e.id
           where e.tenant_id = $1 order by e.id""",
        tx.tenant_id,
        reaction.name,
        event_ids,
    )
    return [
        Recorded(
            row["id"],
            row["occurred_at"],
            msgspec.convert(
                {
                    "subject_id": row["subject_id"],
                    "account_id": row["account_id"],
                    **from_json(row["data"]),
                },
                reaction.event,
                strict=False,
            ),
        )
        for row in rows
    ]
