"""How do payments change?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from billwright.features.payments.model import Attempt, Payment
from billwright.features.payments.rules.next_check import next_check_at
from billwright.runtime.db.tx import Tx


async def insert_payments(tx: Tx, payments: Sequence[Payment]) -> None:
    """Store new payments."""
    await tx.insert(
        "payment",
        [
            {
                "id": payment.id,
                "account_id": payment.account_id,
                "invoice_id": payment.invoice_id,
                "provider": payment.provider,
                "method": payment.method,
                "state": payment.state,
                "currency": payment.amount.currency.code,
                "amount_minor": payment.amount.amount_minor,
                "reference": payment.reference,
                "received_on": payment.received_on,
                "origin": payment.origin,
                "payment_method_id": payment.saved_method_id,
                "captured_minor": payment.captured_minor,
                "unapplied_minor": payment.unapplied_minor,
                "refunded_minor": payment.refunded_minor,
                "version": payment.version,
                "created_at": payment.created_at,
                "updated_at": payment.updated_at,
            }
            for payment in payments
        ],
    )


async def insert_attempts(tx: Tx, attempts: Sequence[Attempt]) -> None:
    """Store new attempts; a second live one for its invoice is refused by a unique index."""
    await tx.insert(
        "payment_attempt",
        [
            {
                "id": attempt.id,
                "payment_id": attempt.payment_id,
                "invoice_id": attempt.invoice_id,
                "state": attempt.state,
                "provider": attempt.provider,
                "provider_key": attempt.provider_key,
                "next_check_at": attempt.next_check_at,
                "channel": attempt.channel,
                "page_expires_at": attempt.page_expires_at,
                "saves_method": attempt.saves_method,
                "created_at": attempt.created_at,
                "updated_at": attempt.updated_at,
            }
            for attempt in attempts
        ],
    )


async def submit_attempt(tx: Tx, attempt_id: UUID) -> bool:
    """Note that a provider is about to be asked; false when it was, or will not be, asked for this."""
    submitted = await tx.execute(
        """update payment_attempt set state = 'submitted', updated_at = $3
           where tenant_id = $1 and id = $2 and state = 'created'""",
        tx.tenant_id,
        attempt_id,
        tx.machine_now,
    )
    return submitted == 1


async def claim_due_attempts(tx: Tx, *, as_of: datetime, limit: int) -> list[UUID]:
    """Take up to `limit` attempts whose outcome is to be looked for by `as_of`, the longest waiting
    first, and set their next check, so that a worker that dies here leaves them to the next one.
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
        """update payment_attempt t set next_check_at = u.next_check_at, updated_at = $2
           from unnest($3::uuid[], $4::timestamptz[]) as u (id, next_check_at)
           where t.tenant_id = $1 and t.id = u.id""",
        tx.tenant_id,
        as_of,
        [row["id"] for row in rows],
        [next_check_at(row["created_at"], now=as_of) for row in rows],
    )
    return [row["id"] for row in rows]


async def claim_expired_pages(
    tx: Tx, *, as_of: datetime, again_after: timedelta, limit: int
) -> list[UUID]:
    """Take up to `limit` attempts whose payer has not come until `as_of`; one that was taken before and
    of which nothing came is taken once more `again_after`.
    """
    rows = await tx.fetch(
        # Materialized, because a subquery that is run again would lock another `limit` of them.
        """with due as materialized (
               select id from payment_attempt
               where tenant_id = $1 and page_expires_at <= $2 and state = 'requires_action'
                   and state not in ('succeeded', 'declined', 'not_attempted')
                   and (updated_at < page_expires_at or updated_at <= $3)
               order by page_expires_at limit $4 for update skip locked)
           update payment_attempt t set updated_at = $2 from due
           where t.tenant_id = $1 and t.id = due.id
           returning t.id""",
        tx.tenant_id,
        as_of,
        as_of - again_after,
        limit,
    )
    return [row["id"] for row in rows]


async def update_attempt(tx: Tx, attempt: Attempt) -> None:
    """Store what a provider answered; the attempt's invoice is locked."""
    await tx.execute(
        """update payment_attempt
           set state = $3, provider_reference = $4, failure_code = $5, next_check_at = $6,
               decline = $7, page_reference = $8, page_url_sealed = $9, page_expires_at = $10,
               updated_at = $11
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        attempt.id,
        attempt.state.value,
        attempt.provider_reference,
        attempt.failure_code,
        attempt.next_check_at,
        attempt.decline.value if attempt.decline else None,
        attempt.page_reference,
        attempt.page_url_sealed,
        attempt.page_expires_at,
        attempt.updated_at,
    )


async def update_payment(tx: Tx, payment: Payment) -> None:
    """Store how a payment stands; its invoice is locked."""
    await tx.execute(
        """update payment set state = $3, method = $4, payment_method_id = $5, captured_minor = $6,
               unapplied_minor = $7, version = $8, updated_at = $9
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        payment.id,
        payment.state.value,
        payment.method.value,
        payment.saved_method_id,
        payment.captured_minor,
        payment.unapplied_minor,
        payment.version,
        payment.updated_at,
    )


async def set_refunded(tx: Tx, refunded_minor: Mapping[UUID, int]) -> None:
    """Store what goes back of payments, of none more than has come of it."""
    await tx.execute(
        """update payment p
           set refunded_minor = least(p.captured_minor, u.refunded_minor),
               version = p.version + 1, updated_at = $2
           from unnest($3::uuid[], $4::bigint[]) as u (id, refunded_minor)
           where p.tenant_id = $1 and p.id = u.id""",
        tx.tenant_id,
        tx.now,
        list(refunded_minor),
        list(refunded_minor.values()),
    )
