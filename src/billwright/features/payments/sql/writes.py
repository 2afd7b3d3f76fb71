"""How do payments change?"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from billwright.features.payments.model import Attempt, Payment
from billwright.features.payments.rules.next_check import next_check_at
from billwright.runtime.db.tx import Tx


async def insert_payment(tx: Tx, payment: Payment) -> None:
    """Store a new payment."""
    await tx.execute(
        """insert into payment (tenant_id, id, account_id, invoice_id, provider, method, state,
               currency, amount_minor, reference, received_on, unapplied_minor, version, created_at,
               updated_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)""",
        tx.tenant_id,
        payment.id,
        payment.account_id,
        payment.invoice_id,
        payment.provider,
        payment.method.value,
        payment.state.value,
        payment.amount.currency.code,
        payment.amount.amount_minor,
        payment.reference,
        payment.received_on,
        payment.unapplied_minor,
        payment.version,
        payment.created_at,
        payment.updated_at,
    )


async def insert_attempt(tx: Tx, attempt: Attempt) -> None:
    """Store a new attempt; a second live one for its invoice is refused by a unique index."""
    await tx.execute(
        """insert into payment_attempt (tenant_id, id, payment_id, invoice_id, state, provider,
               provider_key, next_check_at, created_at, updated_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        tx.tenant_id,
        attempt.id,
        attempt.payment_id,
        attempt.invoice_id,
        attempt.state.value,
        attempt.provider,
        attempt.provider_key,
        attempt.next_check_at,
        attempt.created_at,
        attempt.updated_at,
    )


async def claim_due_attempts(tx: Tx, *, as_of: datetime, limit: int) -> list[UUID]:
    """Take up to `limit` attempts whose outcome is to be looked for by `as_of`, the longest waiting
    first, and set their next check, so that a worker that dies here leaves them to the next one.

    A created attempt becomes submitted: from here on its request may have been sent more than once.
    """
    rows = await tx.fetch(
        """select id, created_at from payment_attempt
           where tenant_id = $1 and next_check_at <= $2
           order by next_check_at limit $3 for update skip locked""",
        tx.tenant_id,
        as_of,
        limit,
    )
    await tx.execute(
        """update payment_attempt t
           set next_check_at = u.next_check_at, updated_at = $2,
               state = case when t.state = 'created' then 'submitted' else t.state end
           from unnest($3::uuid[], $4::timestamptz[]) as u (id, next_check_at)
           where t.tenant_id = $1 and t.id = u.id""",
        tx.tenant_id,
        as_of,
        [row["id"] for row in rows],
        [next_check_at(row["created_at"], now=as_of) for row in rows],
    )
    return [row["id"] for row in rows]


async def update_attempt(tx: Tx, attempt: Attempt) -> None:
    """Store what a provider answered; the attempt's invoice is locked."""
    await tx.execute(
        """update payment_attempt
           set state = $3, provider_reference = $4, failure_code = $5, next_check_at = $6,
               updated_at = $7
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        attempt.id,
        attempt.state.value,
        attempt.provider_reference,
        attempt.failure_code,
        attempt.next_check_at,
        attempt.updated_at,
    )


async def update_payment(tx: Tx, payment: Payment) -> None:
    """Store how a payment stands; its invoice is locked."""
    await tx.execute(
        """update payment set state = $3, unapplied_minor = $4, version = $5, updated_at = $6
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        payment.id,
        payment.state.value,
        payment.unapplied_minor,
        payment.version,
        payment.updated_at,
    )
