"""What does the database know of payments?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from billwright.features.payments.errors import payment_unknown
from billwright.features.payments.model import (
    Attempt,
    AttemptId,
    AttemptState,
    Payment,
    PaymentId,
    PaymentMethod,
    PaymentState,
)
from billwright.features.payments.port import CollectRequest, Payer, Reservation
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx

_PAYMENT_COLUMNS = """p.id, p.account_id, p.invoice_id, p.provider, p.method, p.state, p.currency,
    p.amount_minor, p.reference, p.received_on, p.unapplied_minor, p.version, p.created_at,
    p.updated_at"""
_ATTEMPT_COLUMNS = """t.id, t.payment_id, t.invoice_id, t.state, t.provider, t.provider_key,
    t.provider_reference, t.failure_code, t.next_check_at, t.created_at, t.updated_at"""


async def payment_by_id(tx: Tx, payment_id: UUID) -> Payment:
    """One payment. Refuses: `payment_unknown`."""
    row = await tx.fetch_row(
        f"select {_PAYMENT_COLUMNS} from payment p where p.tenant_id = $1 and p.id = $2",
        tx.tenant_id,
        payment_id,
    )
    if row is None:
        raise payment_unknown(payment_id=payment_id)
    return _payment_from_row(row)


async def list_payments(
    tx: Tx,
    *,
    before: UUID | None,
    limit: int,
    account_id: UUID | None = None,
    invoice_id: UUID | None = None,
    state: PaymentState | None = None,
) -> list[Payment]:
    """Payments, newest first, that come after the one named `before` in that order."""
    rows = await tx.fetch(
        f"""select {_PAYMENT_COLUMNS} from payment p
            where p.tenant_id = $1 and ($2::uuid is null or p.id < $2)
                and ($4::uuid is null or p.account_id = $4)
                and ($5::uuid is null or p.invoice_id = $5)
                and ($6::text is null or p.state = $6)
            order by p.id desc limit $3""",
        tx.tenant_id,
        before,
        limit,
        account_id,
        invoice_id,
        state.value if state else None,
    )
    return [_payment_from_row(row) for row in rows]


async def attempts_of(tx: Tx, payment_id: UUID) -> list[Attempt]:
    """Every attempt at a payment, the first one first."""
    rows = await tx.fetch(
        f"""select {_ATTEMPT_COLUMNS} from payment_attempt t
            where t.tenant_id = $1 and t.payment_id = $2 order by t.id""",
        tx.tenant_id,
        payment_id,
    )
    return [_attempt_from_row(row) for row in rows]


async def attempt_by_id(tx: Tx, attempt_id: UUID) -> Attempt:
    """One attempt; that there is none of this id is a bug, since only this feature hands them out."""
    row = await tx.fetch_row(
        f"select {_ATTEMPT_COLUMNS} from payment_attempt t where t.tenant_id = $1 and t.id = $2",
        tx.tenant_id,
        attempt_id,
    )
    if row is None:
        raise LookupError(f"there is no attempt {attempt_id}")
    return _attempt_from_row(row)


async def has_live_attempt(tx: Tx, invoice_id: UUID) -> bool:
    """Whether a payment of an invoice may still move money."""
    live: bool = await tx.fetch_value(
        """select exists (select from payment_attempt where tenant_id = $1 and invoice_id = $2
               and state not in ('succeeded', 'declined', 'not_attempted'))""",
        tx.tenant_id,
        invoice_id,
    )
    return live


async def reservations(tx: Tx, attempt_ids: Sequence[UUID]) -> list[Reservation]:
    """Attempts with what their providers are to be asked, in one query."""
    rows = await tx.fetch(
        f"""select {_ATTEMPT_COLUMNS}, p.account_id, p.currency, p.amount_minor, p.method,
                p.reference, p.received_on, i.number as invoice_number, a.name, a.email
            from payment_attempt t
            join payment p on p.tenant_id = t.tenant_id and p.id = t.payment_id
            join invoice i on i.tenant_id = p.tenant_id and i.id = p.invoice_id
            join account a on a.tenant_id = p.tenant_id and a.id = p.account_id
            where t.tenant_id = $1 and t.id = any($2::uuid[]) order by t.id""",
        tx.tenant_id,
        attempt_ids,
    )
    return [
        Reservation(
            _attempt_from_row(row),
            CollectRequest(
                provider_key=row["provider_key"],
                amount=Money(row["amount_minor"], currency_of(row["currency"])),
                invoice_number=row["invoice_number"],
                payer=Payer(row["account_id"], row["name"], row["email"]),
                method=PaymentMethod(row["method"]),
                reference=row["reference"],
                received_on=row["received_on"],
                tenant_id=tx.tenant_id,
            ),
        )
        for row in rows
    ]


def _payment_from_row(row: asyncpg.Record) -> Payment:
    return Payment(
        id=PaymentId(row["id"]),
        account_id=row["account_id"],
        invoice_id=row["invoice_id"],
        provider=row["provider"],
        method=PaymentMethod(row["method"]),
        state=PaymentState(row["state"]),
        amount=Money(row["amount_minor"], currency_of(row["currency"])),
        reference=row["reference"],
        received_on=row["received_on"],
        unapplied_minor=row["unapplied_minor"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _attempt_from_row(row: asyncpg.Record) -> Attempt:
    return Attempt(
        id=AttemptId(row["id"]),
        payment_id=PaymentId(row["payment_id"]),
        invoice_id=row["invoice_id"],
        state=AttemptState(row["state"]),
        provider=row["provider"],
        provider_key=row["provider_key"],
        provider_reference=row["provider_reference"],
        failure_code=row["failure_code"],
        next_check_at=row["next_check_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
