"""How does money that goes back change?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from billwright.features.payments.model import MANUAL
from billwright.features.payments.rules.next_check import next_check_at
from billwright.features.refunds.model import Refund, StoredDispute
from billwright.features.refunds.sql.reads import DISPUTE_COLUMNS, dispute_from_row
from billwright.runtime.db.tx import Tx


async def insert_refunds(tx: Tx, refunds: Sequence[Refund]) -> None:
    """Store new refunds; the accounts of their payments are locked."""
    await tx.insert(
        "refund",
        [
            {
                "id": refund.id,
                "account_id": refund.account_id,
                "payment_id": refund.payment_id,
                "credit_note_id": refund.credit_note_id,
                "origin": refund.origin,
                "provider": refund.provider,
                "provider_key": refund.provider_key,
                "provider_reference": refund.provider_reference,
                "state": refund.state,
                "currency": refund.amount.currency.code,
                "amount_minor": refund.amount.amount_minor,
                "reason": refund.reason,
                "failure_code": refund.failure_code,
                "next_check_at": refund.next_check_at,
                "version": refund.version,
                "created_at": refund.created_at,
                "updated_at": refund.updated_at,
            }
            for refund in refunds
        ],
    )


async def claim_refund(tx: Tx, refund_id: UUID) -> bool:
    """Take a refund that its provider was not asked for yet; false when somebody else has it, or when
    a person sends the money. From here on its request may have been sent.
    """
    return bool(
        await tx.execute(
            """update refund set state = 'submitted', version = version + 1, updated_at = $3
               where tenant_id = $1 and id = $2 and state = 'created' and provider <> $4""",
            tx.tenant_id,
            refund_id,
            tx.machine_now,
            MANUAL,
        )
    )


async def leave_to_a_person(tx: Tx, refund_id: UUID) -> None:
    """Let a refund that its provider cannot make be sent by hand."""
    await tx.execute(
        """update refund
           set provider = $3, next_check_at = null, version = version + 1, updated_at = $4
           where tenant_id = $1 and id = $2 and state = 'created'""",
        tx.tenant_id,
        refund_id,
        MANUAL,
        tx.machine_now,
    )


async def claim_due_refunds(tx: Tx, *, as_of: datetime, limit: int) -> list[UUID]:
    """Take up to `limit` refunds whose outcome is to be looked for by `as_of`, the longest waiting
    first, and set their next check, so that a worker that dies here leaves them to the next one.
    """
    rows = await tx.fetch(
        """select id, created_at from refund
           where tenant_id = $1 and next_check_at <= $2
           order by next_check_at limit $3 for update skip locked""",
        tx.tenant_id,
        as_of,
        limit,
    )
    await tx.execute(
        """update refund r
           set next_check_at = u.next_check_at, updated_at = $2
           from unnest($3::uuid[], $4::timestamptz[]) as u (id, next_check_at)
           where r.tenant_id = $1 and r.id = u.id""",
        tx.tenant_id,
        as_of,
        [row["id"] for row in rows],
        [next_check_at(row["created_at"], now=as_of) for row in rows],
    )
    return [row["id"] for row in rows]


async def update_refund(tx: Tx, refund: Refund) -> None:
    """Store what became of a refund; the account of its payment is locked."""
    await tx.execute(
        """update refund
           set state = $3, provider_reference = $4, failure_code = $5, next_check_at = $6,
               version = $7, updated_at = $8
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        refund.id,
        refund.state.value,
        refund.provider_reference,
        refund.failure_code,
        refund.next_check_at,
        refund.version,
        refund.updated_at,
    )


async def insert_dispute(tx: Tx, dispute: StoredDispute) -> None:
    """Store a dispute that is new; the account of its payment is locked."""
    await tx.insert(
        "dispute",
        [
            {
                "id": dispute.id,
                "account_id": dispute.account_id,
                "payment_id": dispute.payment_id,
                "provider": dispute.provider,
                "provider_reference": dispute.provider_reference,
                "state": dispute.state,
                "currency": dispute.amount.currency.code,
                "amount_minor": dispute.amount.amount_minor,
                "reason": dispute.reason,
                "respond_by": dispute.respond_by,
                "closed_at": dispute.closed_at,
                "version": dispute.version,
                "created_at": dispute.created_at,
                "updated_at": dispute.updated_at,
            }
        ],
    )


async def update_dispute(tx: Tx, dispute: StoredDispute) -> None:
    """Store how a dispute stands; the account of its payment is locked."""
    await tx.execute(
        """update dispute
           set state = $3, currency = $4, amount_minor = $5, closed_at = $6, version = $7,
               updated_at = $8
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        dispute.id,
        dispute.state.value,
        dispute.amount.currency.code,
        dispute.amount.amount_minor,
        dispute.closed_at,
        dispute.version,
        dispute.updated_at,
    )


async def claim_open_disputes(
    tx: Tx, provider: str, *, asked_before: datetime, limit: int
) -> list[StoredDispute]:
    """Take up to `limit` open disputes that were known before and of which the provider was not asked
    since, those first of which it was asked longest ago, and note that it is.
    """
    rows = await tx.fetch(
        f"""select {DISPUTE_COLUMNS} from dispute d
            where d.tenant_id = $1 and d.provider = $2 and d.state = 'open'
                and (d.asked_at is null or d.asked_at < $3) and d.created_at < $3
            order by d.asked_at nulls first, d.id limit $4 for update skip locked""",
        tx.tenant_id,
        provider,
        asked_before,
        limit,
    )
    await note_asked(tx, [row["id"] for row in rows])
    return [dispute_from_row(row) for row in rows]


async def note_asked(tx: Tx, dispute_ids: Sequence[UUID]) -> None:
    """Note that the provider has said how these disputes stand."""
    await tx.execute(
        """update dispute set asked_at = $2 where tenant_id = $1 and id = any($3::uuid[])""",
        tx.tenant_id,
        tx.machine_now,
        dispute_ids,
    )
