"""Who holds the running totals, and who has looked at what they show?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from billwright.features.usage.model import TotalKey
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx


async def lock_totals(tx: Tx, since: Mapping[TotalKey, datetime]) -> None:
    """Hold the rows of these keys until the commit, and note from which instant on they are counted. A
    key without a subscription means all of the account's.
    """
    rows = [{**key._asdict(), "starts_at": starts_at} for key, starts_at in since.items()]
    # In the order of the key, as those who record usage take them, so that nobody waits in a circle.
    await tx.execute(
        """with held as materialized (
               select t.account_id, t.event_type, t.subscription_id, k.starts_at
               from json_to_recordset($2::json) as k (account_id uuid, event_type text,
                   subscription_id uuid, starts_at timestamptz)
               join usage_total t on t.tenant_id = $1 and t.account_id = k.account_id
                   and t.event_type = k.event_type
                   and (k.subscription_id is null or t.subscription_id = k.subscription_id)
               order by t.account_id, t.event_type, t.subscription_id for no key update of t)
           update usage_total t set frontier = greatest(t.frontier, h.starts_at)
           from (select account_id, event_type, subscription_id, max(starts_at) as starts_at
                 from held group by account_id, event_type, subscription_id) as h
           where t.tenant_id = $1 and t.account_id = h.account_id and t.event_type = h.event_type
               and t.subscription_id = h.subscription_id""",
        tx.tenant_id,
        to_json(rows),
    )


async def claim_unseen_accounts(tx: Tx, *, test_clock_id: UUID | None, limit: int) -> list[UUID]:
    """Lock up to `limit` accounts of which usage has come that nobody has looked at. Those that a
    command or another worker holds are passed over.
    """
    clock = (
        "a.test_clock_id = $3" if test_clock_id else "a.test_clock_id is null and $3::uuid is null"
    )
    rows = await tx.fetch(
        # tidy: tables - only one statement can find accounts and pass over the held ones
        f"""select a.id from (
                select distinct t.account_id from usage_total t
                join account a on a.tenant_id = t.tenant_id and a.id = t.account_id and {clock}
                where t.tenant_id = $1 and t.unseen limit $2) as u
            join account a on a.tenant_id = $1 and a.id = u.account_id
            order by a.id for no key update of a skip locked""",
        tx.tenant_id,
        limit,
        test_clock_id,
    )
    return [row["id"] for row in rows]


async def mark_seen(tx: Tx, account_ids: Collection[UUID]) -> None:
    """Note that somebody looks at all usage of these accounts. All of their totals are held until the
    commit, so that whoever looks needs no other ones later.
    """
    await tx.execute(
        """with held as materialized (
               select t.account_id, t.event_type, t.subscription_id from usage_total t
               where t.tenant_id = $1 and t.account_id = any($2::uuid[])
               order by t.account_id, t.event_type, t.subscription_id for no key update)
           update usage_total t set unseen = false from held h
           where t.tenant_id = $1 and t.account_id = h.account_id and t.event_type = h.event_type
               and t.subscription_id = h.subscription_id and t.unseen""",
        tx.tenant_id,
        list(account_ids),
    )
