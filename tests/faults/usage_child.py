"""A process that tells usage, batch after batch, until it is done or killed.

Started with the database's address, the tenant's id and a seed. It tells the same events whenever it is
started, in an order of its own each time, and repeats some; it prints the number of each batch that was
acknowledged.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

import billwright.features
from billwright.features.subscriptions.model import UsageSubject
from billwright.features.subscriptions.operations.find_usage_places import find_usage_places
from billwright.features.usage.model import NewUsage
from billwright.features.usage.operations.record_usage import record_events
from billwright.kernel.actor import system_actor
from billwright.kernel.ids import TenantId
from billwright.runtime.clock import FixedClock
from billwright.runtime.db.database import Database
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import discover
from tests.conftest import NOON

BATCHES, BATCH = 300, 100


def told(subscriptions: list[UUID], batch: int) -> list[tuple[UsageSubject, NewUsage]]:
    """The events of a batch: always the same, spread over the subscriptions."""
    return [
        (
            UsageSubject("subscription_id", subscriptions[number % len(subscriptions)]),
            NewUsage(
                source="meter",
                event_id=str(number),
                meter="calls",
                quantity=Decimal(1 + number % 7),
                occurred_at=NOON + timedelta(seconds=number),
            ),
        )
        for number in range(batch * BATCH, (batch + 1) * BATCH)
    ]


async def main(dsn: str, tenant_id: str, seed: str) -> None:
    random = Random(int(seed))
    outbox = QueueOutbox(discover(billwright.features))
    database = await Database.connect(dsn, outbox=outbox, clock=FixedClock(NOON), size=3)
    tenant = TenantId(UUID(tenant_id))

    def opened():
        return database.tx(tenant, actor=system_actor("usage"), cause="usage")

    async with opened() as tx:
        rows = await tx.fetch("select id from subscription order by id")
    subscriptions = [row["id"] for row in rows]
    order = random.sample(range(BATCHES), BATCHES)

    async def tell(own: list[int]) -> None:
        for batch in own:
            events = told(subscriptions, batch)
            random.shuffle(events)
            async with opened() as tx:
                places = await find_usage_places(tx, {subject: 0 for subject, _ in events})
                await record_events(tx, [(places[subject], event) for subject, event in events])
            sys.stdout.write(f"{batch}\n")
            sys.stdout.flush()

    # Two at a time, and both tell the last batches of the other.
    await asyncio.gather(tell(order[:200]), tell(order[100:]))
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
