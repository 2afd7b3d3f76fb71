"""How do cases and policies change?"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from billwright.features.dunning.rules.policy import DunningPolicy, definition_of
from billwright.features.dunning.rules.records import DunningCase
from billwright.kernel.ids import new_id
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx


async def insert_case(tx: Tx, case: DunningCase) -> None:
    """Store a new case; a second one that waits for the same money is refused by a unique index."""
    await tx.insert(
        "dunning_case",
        [
            {
                **_standing(case),
                "id": case.id,
                "account_id": case.account_id,
                "invoice_id": case.debt.invoice_id,
                "subscription_ids": case.subscription_ids,
                "policy": definition_of(case.policy),
                "opened_at": case.standing.opened_at,
                "past_due_at": case.standing.past_due_at,
            }
        ],
    )


async def update_case(tx: Tx, case: DunningCase) -> None:
    """Store how a case stands; its account is locked."""
    standing = _standing(case)
    columns = ", ".join(standing)
    await tx.execute(
        f"""update dunning_case c set ({columns}) = (
                select {columns} from json_populate_record(null::dunning_case, $3::json))
            where c.tenant_id = $1 and c.id = $2""",
        tx.tenant_id,
        case.id,
        to_json(standing),
    )


async def claim_due_cases(
    tx: Tx, *, as_of: datetime, test_clock_id: UUID | None, limit: int
) -> list[UUID]:
    """Lock the accounts of up to `limit` cases that are to be looked at, those that have waited
    longest first.

    Accounts that another worker or a command holds are passed over, not waited for; parked ones are
    left alone.
    """
    clock = (
        "a.test_clock_id = $4" if test_clock_id else "a.test_clock_id is null and $4::uuid is null"
    )
    rows = await tx.fetch(
        # tidy: tables - only one statement can find accounts and pass over the held ones
        f"""select c.id from dunning_case c
            join account a on a.tenant_id = c.tenant_id and a.id = c.account_id
            where c.tenant_id = $1 and c.due_at <= $2 and a.parked_reason is null and {clock}
            order by c.due_at limit $3
            for no key update of a skip locked""",
        tx.tenant_id,
        as_of,
        limit,
        test_clock_id,
    )
    return [row["id"] for row in rows]


async def upsert_policy(tx: Tx, policy: DunningPolicy, *, plan_id: UUID | None) -> None:
    """Set the policy of a plan or, without one, the seller's own."""
    await tx.execute(
        """insert into dunning_policy as known
               (tenant_id, id, plan_id, definition, version, created_at, updated_at)
           values ($1, $2, $3, $4, 1, $5, $5)
           on conflict (tenant_id, plan_id) do update
           set definition = excluded.definition, version = known.version + 1,
               updated_at = excluded.updated_at""",
        tx.tenant_id,
        new_id(),
        plan_id,
        to_json(definition_of(policy)),
        tx.now,
    )


async def lock_policy(tx: Tx, plan_id: UUID | None) -> int | None:
    """The version of the policy that was set for a plan or the seller, held until the commit; none
    where none was set.
    """
    of_what = "plan_id = $2" if plan_id else "plan_id is null and $2::uuid is null"
    version: int | None = await tx.fetch_value(
        f"select version from dunning_policy where tenant_id = $1 and {of_what} for update",
        tx.tenant_id,
        plan_id,
    )
    return version


async def delete_policy(tx: Tx, plan_id: UUID) -> bool:
    """Let the seller's own policy hold for a plan again; false when it had none."""
    return bool(
        await tx.execute(
            "delete from dunning_policy where tenant_id = $1 and plan_id = $2",
            tx.tenant_id,
            plan_id,
        )
    )


def _standing(case: DunningCase) -> dict[str, object]:
    standing = case.standing
    return {
        "state": standing.state,
        "step": standing.step,
        "attempts": standing.attempts,
        "waiting_since": standing.waiting_since,
        "next_step_at": standing.next_step_at,
        "under_way": standing.under_way,
        "is_chargeable": standing.chargeable,
        "has_fresh_method": standing.fresh_method,
        "noticed": standing.noticed,
        "entitlement_index": standing.entitlement_index,
        "paused_until": standing.paused_until,
        "ended_at": standing.ended_at,
        "due_at": case.due_at,
        "version": case.version,
        "updated_at": case.updated_at,
    }
