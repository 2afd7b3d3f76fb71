"""How does late usage wait that nobody is to be billed for as long as its account is closed?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from billwright.features.usage.model import LateUsage
from billwright.runtime.db.tx import Tx


async def insert_aside(tx: Tx, late: Sequence[LateUsage]) -> None:
    """Note what was taken before in this transaction, due at no time; what is told later has it due."""
    ordered = sorted(late, key=lambda one: (one.account_id, one.subscription_id))
    await tx.execute(
        """insert into late_usage as known
               (tenant_id, account_id, subscription_id, occurred_from, occurred_until)
           select $1, l.account_id, l.subscription_id, l.occurred_from, l.occurred_until
           from unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[])
               as l (account_id, subscription_id, occurred_from, occurred_until)
           on conflict (tenant_id, account_id, subscription_id) do update
               set occurred_from = least(known.occurred_from, excluded.occurred_from),
                   occurred_until = greatest(known.occurred_until, excluded.occurred_until)""",
        tx.tenant_id,
        [one.account_id for one in ordered],
        [one.subscription_id for one in ordered],
        [one.occurred_from for one in ordered],
        [one.occurred_until for one in ordered],
    )


async def make_due(tx: Tx, account_ids: Collection[UUID]) -> None:
    """Have what was set aside of these accounts counted again from now on."""
    await tx.execute(
        """with held as materialized (
               select account_id, subscription_id from late_usage
               where tenant_id = $1 and account_id = any($2::uuid[]) and due_at is null
               order by account_id, subscription_id for update)
           update late_usage l set due_at = $3 from held h
           where l.tenant_id = $1 and l.account_id = h.account_id
               and l.subscription_id = h.subscription_id""",
        tx.tenant_id,
        list(account_ids),
        tx.now,
    )
