"""How do the methods that accounts have left change?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from billwright.features.payment_methods.model import StoredMethod
from billwright.features.payment_methods.rules.detaching import next_try_at
from billwright.features.payment_methods.sql.reads import METHOD_COLUMNS, method_from_row
from billwright.features.payment_methods.sql.sealed_methods import SealedWords
from billwright.runtime.db.tx import Tx


async def insert_method(tx: Tx, method: StoredMethod, *, words: SealedWords) -> None:
    """Store a method that its account has not left before; the account is locked."""
    await tx.execute(
        """insert into payment_method (tenant_id, id, account_id, provider, kind, label, status,
               is_default, is_chargeable, expires_on, reference_sealed, reference_digest,
               payer_reference_sealed, fingerprint_digest, consented_at, consent, version, created_at,
               updated_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
               $19)""",
        tx.tenant_id,
        method.id,
        method.account_id,
        method.provider,
        method.kind.value,
        method.label,
        method.status.value,
        method.is_default,
        method.is_chargeable,
        method.expires_on,
        words.reference_sealed,
        words.reference_digest,
        words.payer_reference_sealed,
        words.fingerprint_digest,
        method.consented_at,
        method.consent,
        method.version,
        method.created_at,
        method.updated_at,
    )


async def update_method(tx: Tx, method: StoredMethod) -> None:
    """Store what has become of a method, but not the provider's words for it; its account is locked."""
    await tx.execute(
        """update payment_method
           set kind = $3, label = $4, status = $5, is_default = $6, is_chargeable = $7, expires_on = $8,
               consented_at = $9, consent = $10, version = $11, updated_at = $12, removed_at = $13,
               detach_at = $14
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        method.id,
        method.kind.value,
        method.label,
        method.status.value,
        method.is_default,
        method.is_chargeable,
        method.expires_on,
        method.consented_at,
        method.consent,
        method.version,
        method.updated_at,
        method.removed_at,
        method.detach_at,
    )


async def remove_methods(tx: Tx, account_id: UUID) -> list[StoredMethod]:
    """Remove what a locked account has left; what was removed by this."""
    rows = await tx.fetch(
        f"""update payment_method m
            set status = 'removed', is_default = false, version = m.version + 1, updated_at = $3,
                removed_at = $4, detach_at = $4
            where m.tenant_id = $1 and m.account_id = $2 and m.status = 'active'
            returning {METHOD_COLUMNS}""",
        tx.tenant_id,
        account_id,
        tx.now,
        tx.machine_now,
    )
    return [method_from_row(row) for row in rows]


async def claim_methods_to_detach(tx: Tx, *, as_of: datetime, limit: int) -> list[StoredMethod]:
    """Take up to `limit` removed methods that their providers are to forget by `as_of`, the longest
    waiting first, and set when that is tried again, so that a worker that dies here leaves them to the
    next one.
    """
    rows = await tx.fetch(
        f"""select {METHOD_COLUMNS} from payment_method m
            where m.tenant_id = $1 and m.detach_at <= $2 and m.removed_at is not null
            order by m.detach_at limit $3 for update skip locked""",
        tx.tenant_id,
        as_of,
        limit,
    )
    await tx.execute(
        """update payment_method m set detach_at = u.detach_at
           from unnest($2::uuid[], $3::timestamptz[]) as u (id, detach_at)
           where m.tenant_id = $1 and m.id = u.id""",
        tx.tenant_id,
        [row["id"] for row in rows],
        [next_try_at(row["removed_at"], now=as_of) for row in rows],
    )
    return [method_from_row(row) for row in rows]


async def stop_detaching(tx: Tx, method: StoredMethod) -> bool:
    """Leave a removed method as its provider has it; false when its payer has left it again since."""
    return bool(
        await tx.execute(
            """update payment_method set detach_at = null
               where tenant_id = $1 and id = $2 and removed_at = $3""",
            tx.tenant_id,
            method.id,
            method.removed_at,
        )
    )


async def reseal_method(tx: Tx, method: StoredMethod, *, words: SealedWords) -> None:
    """Store the provider's words anew, unless somebody else has done so meanwhile. A fingerprint that
    the provider does not repeat keeps its digest.
    """
    await tx.execute(
        """update payment_method
           set reference_sealed = $4, reference_digest = $5, payer_reference_sealed = $6,
               fingerprint_digest = coalesce($7, fingerprint_digest)
           where tenant_id = $1 and id = $2 and reference_sealed = $3""",
        tx.tenant_id,
        method.id,
        method.reference_sealed,
        words.reference_sealed,
        words.reference_digest,
        words.payer_reference_sealed,
        words.fingerprint_digest,
    )


async def clear_default(tx: Tx, account_id: UUID) -> None:
    """Leave a locked account without a default."""
    await tx.execute(
        """update payment_method set is_default = false, version = version + 1, updated_at = $3
           where tenant_id = $1 and account_id = $2 and is_default""",
        tx.tenant_id,
        account_id,
        tx.now,
    )


async def mark_announced(tx: Tx, method_ids: Sequence[UUID]) -> list[StoredMethod]:
    """Note that the end of methods is announced; those of which it was not, nor was taken back in the
    meantime. Another end is announced again.
    """
    rows = await tx.fetch(
        f"""update payment_method m set expiry_announced_for = m.expires_on
            where m.tenant_id = $1 and m.id = any($2::uuid[]) and m.is_default
                and m.expiry_announced_for is distinct from m.expires_on
            returning {METHOD_COLUMNS}""",
        tx.tenant_id,
        method_ids,
    )
    return [method_from_row(row) for row in rows]
