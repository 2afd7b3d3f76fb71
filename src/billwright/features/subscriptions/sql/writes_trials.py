"""How does it become durable who has had which trial, and who is reminded?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from billwright.runtime.db.tx import Tx


async def insert_trial_redemptions(tx: Tx, redemptions: Sequence[Mapping[str, object]]) -> int:
    """Note who has a trial of which plan now; how many of them had none before. Whoever asks at the same
    time waits here for the other's commit.
    """
    return await tx.insert("trial_redemption", redemptions, on_conflict="on conflict do nothing")


async def insert_allowed_redemption(
    tx: Tx, subscription_id: UUID, *, account_id: UUID, plan_code: str
) -> None:
    """Note that a person has allowed another trial. The mail address stays with who had the first one."""
    await tx.execute(
        """insert into trial_redemption (tenant_id, subscription_id, plan_code, account_id, email_key,
               redeemed_at, is_allowed)
           values ($1, $2, $3, $4, null, $5, true)
           on conflict (tenant_id, account_id, plan_code) do update set is_allowed = true""",
        tx.tenant_id,
        subscription_id,
        plan_code,
        account_id,
        tx.now,
    )


async def delete_trial_redemptions(tx: Tx, subscription_ids: Sequence[UUID]) -> None:
    """Forget trials that never began, and with what they were to be had."""
    await tx.execute(
        """delete from trial_redemption
           where tenant_id = $1 and subscription_id = any($2::uuid[])""",
        tx.tenant_id,
        subscription_ids,
    )


async def claim_due_reminders(
    tx: Tx, *, test_clock_id: UUID | None, as_of: datetime, limit: int
) -> dict[UUID, UUID]:
    """Lock up to `limit` subscriptions whose reminder is due, those that have waited longest first, with
    their accounts; returns the account of each. Accounts that others hold are passed over, and parked
    ones left alone.
    """
    clock = (
        "s.test_clock_id = $4" if test_clock_id else "s.test_clock_id is null and $4::uuid is null"
    )
    rows = await tx.fetch(
        # tidy: tables - only one statement can find accounts and pass over the held ones
        f"""select s.id, a.id as account_id from subscription s
            join account a on a.tenant_id = s.tenant_id and a.id = s.account_id
            where s.tenant_id = $1 and s.reminder_at <= $2 and s.reminder_at is not null
                and s.period_end > $2 and a.parked_reason is null and {clock}
            order by s.reminder_at
            limit $3
            for no key update of a skip locked""",
        tx.tenant_id,
        as_of,
        limit,
        test_clock_id,
    )
    return {row["id"]: row["account_id"] for row in rows}
