"""What does the database know of usage?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from billwright.features.usage.model import NewUsage, UsageWindow, Used
from billwright.runtime.db.tx import Tx


async def used_quantities(
    tx: Tx, windows: Sequence[UsageWindow], *, cutoff: datetime
) -> dict[int, Used]:
    """What each window holds of the events received by `cutoff`, by its key and in one query; a
    window without events is absent.
    """
    # As JSON, an identity cannot run into the quantity beside it. The order is that of bytes, so that
    # a digest does not depend on the language of the database.
    rows = await tx.fetch(
        """select w.key, u.quantity, u.events, u.digest
           from unnest($2::int[], $3::uuid[], $4::text[], $5::timestamptz[], $6::timestamptz[])
               as w (key, subscription_id, meter, starts_at, ends_at)
           cross join lateral (
               select sum(e.quantity) as quantity, count(*) as events,
                   encode(sha256(convert_to(string_agg(
                       json_build_array(e.source, e.event_id, e.quantity)::text, ''
                       order by e.source collate "C", e.event_id collate "C"
                   ), 'UTF8')), 'hex') as digest
               from usage_event e
               where e.tenant_id = $1 and e.subscription_id = w.subscription_id
                   and e.meter = w.meter and e.occurred_at >= w.starts_at
                   and e.occurred_at < w.ends_at and e.received_at <= $7
           ) as u
           where u.events > 0""",
        tx.tenant_id,
        [window.key for window in windows],
        [window.subscription_id for window in windows],
        [window.meter for window in windows],
        [window.start for window in windows],
        [window.end for window in windows],
        cutoff,
    )
    return {
        row["key"]: Used(quantity=row["quantity"], events=row["events"], digest=row["digest"])
        for row in rows
    }


async def recorded_events(
    tx: Tx, identities: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[UUID, NewUsage]]:
    """Events with the subscriptions that they belong to, by source and id; unknown ones are absent."""
    # Limited, so that each is looked up by its key, whatever is believed of the table's size.
    rows = await tx.fetch(
        """select e.source, e.event_id, e.subscription_id, e.meter, e.quantity, e.occurred_at
           from unnest($2::text[], $3::text[]) as i (source, event_id)
           cross join lateral (
               select * from usage_event u
               where u.tenant_id = $1 and u.source = i.source and u.event_id = i.event_id
               limit 1
           ) as e""",
        tx.tenant_id,
        [source for source, _ in identities],
        [event_id for _, event_id in identities],
    )
    return {
        (row["source"], row["event_id"]): (
            row["subscription_id"],
            NewUsage(
                source=row["source"],
                event_id=row["event_id"],
                meter=row["meter"],
                quantity=row["quantity"],
                occurred_at=row["occurred_at"],
            ),
        )
        for row in rows
    }
