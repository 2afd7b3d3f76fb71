"""Which dunning policy does the database have for what?"""

from __future__ import annotations

from uuid import UUID

import asyncpg

from billwright.features.dunning.model import PolicyScope
from billwright.features.dunning.rules.policy import DunningPolicy, policy_of
from billwright.features.dunning.rules.records import KeptPolicy
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx


async def policy_for(tx: Tx, plan_id: UUID | None) -> KeptPolicy:
    """The policy that holds for a plan or, without one, for the seller's invoices in general: the most
    particular one that was set.
    """
    rows = await tx.fetch(
        """select plan_id, definition, version, updated_at from dunning_policy
           where tenant_id = $1 and plan_id = $2
           union all
           select plan_id, definition, version, updated_at from dunning_policy
           where tenant_id = $1 and plan_id is null""",
        tx.tenant_id,
        plan_id,
    )
    if not rows:
        return KeptPolicy(policy=DunningPolicy(), scope=PolicyScope.DEFAULT)
    return _policy_from_row(min(rows, key=lambda row: row["plan_id"] is None))


def _policy_from_row(row: asyncpg.Record) -> KeptPolicy:
    return KeptPolicy(
        policy=policy_of(from_json(row["definition"])),
        scope=PolicyScope.SELLER if row["plan_id"] is None else PolicyScope.PLAN,
        version=row["version"],
        updated_at=row["updated_at"],
    )
