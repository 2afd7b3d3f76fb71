"""Which trials have been had with which ways to pay?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billwright.features.subscriptions.model import TrialState
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedTrial:
    """A trial that is not over, and the account that had one of that plan with the same way to pay."""

    subscription_id: UUID
    number: int
    plan_code: str
    trial_end: datetime
    state: TrialState
    former_account_id: UUID
    former_trial_at: datetime


async def is_had_with_method(tx: Tx, account_id: UUID, *, plan_code: str) -> bool:
    """Whether another account has had a trial of a plan with anything that this one has ever left."""
    had: bool = await tx.fetch_value(
        """select exists (
               select from account_fingerprint f
               join trial_fingerprint t on t.tenant_id = f.tenant_id
                   and t.fingerprint_digest = f.fingerprint_digest and t.plan_code = $3
               join trial_redemption r on r.tenant_id = t.tenant_id
                   and r.subscription_id = t.subscription_id and r.plan_code = t.plan_code
               where f.tenant_id = $1 and f.account_id = $2 and r.account_id <> f.account_id)""",
        tx.tenant_id,
        account_id,
        plan_code,
    )
    return had


async def redeeming_subscriptions(tx: Tx, account_id: UUID) -> list[UUID]:
    """With which subscriptions an account has had trials."""
    rows = await tx.fetch(
        """select distinct subscription_id from trial_redemption
           where tenant_id = $1 and account_id = $2""",
        tx.tenant_id,
        account_id,
    )
    return [row["subscription_id"] for row in rows]


async def repeated_trials(
    tx: Tx, account_id: UUID, *, fingerprint_digest: bytes
) -> list[RepeatedTrial]:
    """Which trials of an account, begun or still to begin, another account has had with a way to pay;
    those that a person has allowed are left out.
    """
    rows = await tx.fetch(
        """select distinct on (s.id) s.id as subscription_id, s.number, mine.plan_code, s.trial_end,
               s.trial_state, theirs.account_id as former_account_id,
               theirs.redeemed_at as former_trial_at
           from trial_redemption mine
           join subscription s on s.tenant_id = mine.tenant_id and s.id = mine.subscription_id
           join trial_fingerprint t on t.tenant_id = mine.tenant_id and t.fingerprint_digest = $3
               and t.plan_code = mine.plan_code
           join trial_redemption theirs on theirs.tenant_id = t.tenant_id
               and theirs.subscription_id = t.subscription_id and theirs.plan_code = t.plan_code
           where mine.tenant_id = $1 and mine.account_id = $2 and not mine.is_allowed
               and theirs.account_id <> mine.account_id and s.trial_state in ('scheduled', 'active')
           order by s.id, theirs.redeemed_at""",
        tx.tenant_id,
        account_id,
        fingerprint_digest,
    )
    return [
        RepeatedTrial(
            subscription_id=row["subscription_id"],
            number=row["number"],
            plan_code=row["plan_code"],
            trial_end=row["trial_end"],
            state=TrialState(row["trial_state"]),
            former_account_id=row["former_account_id"],
            former_trial_at=row["former_trial_at"],
        )
        for row in rows
    ]
