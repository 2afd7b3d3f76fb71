"""How much was ever told of a subscription's usage?

One row for each subscription and type of event, which whoever records events adds to in the same
statement. So one look at a row tells what has come since the last one, without counting events.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from billwright.features.usage.model import TotalKey, UsageTotal
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx


async def usage_totals(tx: Tx, keys: Sequence[TotalKey]) -> dict[TotalKey, UsageTotal]:
    """The totals of these keys, all zero where nothing was ever told; a key without a subscription
    means all of the account's.
    """
    rows = await tx.fetch(
        """select k.key, s.* from json_to_recordset($2::json)
               as k (key int, account_id uuid, event_type text, subscription_id uuid)
           cross join lateral (
               select coalesce(sum(t.quantity), 0) as quantity, coalesce(sum(t.events), 0) as events,
                   coalesce(sum(t.revision), 0) as revision
               from usage_total t
               where t.tenant_id = $1 and t.account_id = k.account_id and t.event_type = k.event_type
                   and (k.subscription_id is null or t.subscription_id = k.subscription_id)) as s""",
        tx.tenant_id,
        to_json([{"key": number, **key._asdict()} for number, key in enumerate(keys)]),
    )
    return {
        keys[row["key"]]: UsageTotal(
            quantity=row["quantity"], events=int(row["events"]), revision=int(row["revision"])
        )
        for row in rows
    }


async def subscriptions_of(tx: Tx, keys: Collection[TotalKey]) -> dict[TotalKey, list[UUID]]:
    """The subscriptions of which any usage was told, by key; one without any is absent."""
    rows = await tx.fetch(
        """select o.* from json_to_recordset($2::json) as k (account_id uuid, event_type text)
           cross join lateral (
               select t.account_id, t.event_type, t.subscription_id from usage_total t
               where t.tenant_id = $1 and t.account_id = k.account_id
                   and t.event_type = k.event_type
               order by t.subscription_id offset 0) as o""",
        tx.tenant_id,
        to_json([{"account_id": a, "event_type": e} for a, e in {key[:2] for key in keys}]),
    )
    found: dict[tuple[UUID, str], list[UUID]] = defaultdict(list)
    for account_id, event_type, subscription_id in rows:
        found[account_id, event_type].append(subscription_id)
    return {
        key: [one for one in found[key[:2]] if key.subscription_id in {None, one}]
        for key in keys
        if key[:2] in found
    }


async def clocks_with_unseen_usage(tx: Tx) -> list[tuple[UUID | None, datetime | None]]:
    """The test clocks, with their time, of accounts whose usage nobody has looked at yet; none is the
    real one.
    """
    rows = await tx.fetch(
        """select distinct a.test_clock_id, c.now from usage_total t
           join account a on a.tenant_id = t.tenant_id and a.id = t.account_id
           left join test_clock c on c.tenant_id = a.tenant_id and c.id = a.test_clock_id
           where t.tenant_id = $1 and t.unseen""",
        tx.tenant_id,
    )
    return [(row["test_clock_id"], row["now"]) for row in rows]
