"""How does it become durable with which ways to pay trials have been had?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billwright.runtime.db.tx import Tx


async def insert_account_fingerprint(
    tx: Tx, account_id: UUID, *, fingerprint_digest: bytes
) -> bool:
    """Note what a locked account has left; false where that is known already."""
    inserted = await tx.execute(
        """insert into account_fingerprint (tenant_id, account_id, fingerprint_digest, noted_at)
           values ($1, $2, $3, $4) on conflict do nothing""",
        tx.tenant_id,
        account_id,
        fingerprint_digest,
        tx.now,
    )
    return inserted == 1


async def insert_trial_fingerprints(tx: Tx, subscription_ids: Sequence[UUID]) -> None:
    """Note that the trials of subscriptions are had with all that their accounts have ever left; what
    another account had one with stays that one's. Whoever asks at the same time waits here for the
    other's commit, everybody in the same order.
    """
    await tx.execute(
        """insert into trial_fingerprint (tenant_id, fingerprint_digest, plan_code, subscription_id)
           select r.tenant_id, f.fingerprint_digest, r.plan_code, r.subscription_id
           from trial_redemption r
           join account_fingerprint f on f.tenant_id = r.tenant_id and f.account_id = r.account_id
           where r.tenant_id = $1 and r.subscription_id = any($2::uuid[])
           order by f.fingerprint_digest, r.plan_code
           on conflict do nothing""",
        tx.tenant_id,
        subscription_ids,
    )


async def renew_fingerprint(tx: Tx, *, digest: bytes, former: Sequence[bytes]) -> None:
    """Know under the current key what is known under a retired one."""
    if not former:
        return
    await tx.execute(
        """with known as (
               delete from account_fingerprint
               where tenant_id = $1 and fingerprint_digest = any($3::bytea[])
               returning account_id, noted_at)
           insert into account_fingerprint (tenant_id, account_id, fingerprint_digest, noted_at)
           select $1, account_id, $2, noted_at from known order by noted_at
           on conflict do nothing""",
        tx.tenant_id,
        digest,
        former,
    )
    await tx.execute(
        """with known as (
               delete from trial_fingerprint
               where tenant_id = $1 and fingerprint_digest = any($3::bytea[])
               returning plan_code, subscription_id)
           insert into trial_fingerprint (tenant_id, fingerprint_digest, plan_code, subscription_id)
           select $1, $2, plan_code, subscription_id from known order by plan_code
           on conflict do nothing""",
        tx.tenant_id,
        digest,
        former,
    )
