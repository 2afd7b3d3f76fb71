"""What does the database know of payments?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict, Unpack
from uuid import UUID

import asyncpg

from billwright.features.payment_providers.model import AttemptState, Decline, PaymentMethod
from billwright.features.payment_providers.port import CollectRequest, Payer
from billwright.features.payments.errors import payment_unknown
from billwright.features.payments.model import (
    Attempt,
    AttemptId,
    Channel,
    Origin,
    Payment,
    PaymentId,
    PaymentState,
)
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.runtime.db.conditions import Conditions
from billwright.runtime.db.tx import Tx

_PAYMENT_COLUMNS = """p.id, p.account_id, p.invoice_id, p.provider, p.method, p.state, p.currency,
    p.amount_minor, p.reference, p.received_on, p.origin, p.payment_method_id, p.captured_minor,
    p.unapplied_minor, p.refunded_minor, p.version, p.created_at, p.updated_at"""
_ATTEMPT_COLUMNS = """t.id, t.payment_id, t.invoice_id, t.state, t.provider, t.provider_key,
    t.provider_reference, t.failure_code, t.next_check_at, t.created_at, t.updated_at, t.channel,
    t.decline, t.page_reference, t.page_url_sealed, t.page_expires_at, t.saves_method"""


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


class PaymentFilter(TypedDict, total=False):
    """Which payments are asked for; instants are from the first one on and up to the second one."""

    account_id: UUID | None
    invoice_id: UUID | None
    state: PaymentState | None
    created_after: datetime | None
    created_before: datetime | None


async def list_payments(
    tx: Tx, *, before: UUID | None, limit: int, **asked: Unpack[PaymentFilter]
) -> list[Payment]:
    """Payments, newest first, that come after the one named `before` in that order."""
    found = Conditions("p.tenant_id = {}", tx.tenant_id)
    found.add("p.id < {}", before)
    found.add("p.account_id = {}", asked.get("account_id"))
    found.add("p.invoice_id = {}", asked.get("invoice_id"))
    found.add("p.state = {}", asked.get("state"))
    found.add("p.created_at >= {}", asked.get("created_after"))
    found.add("p.created_at < {}", asked.get("created_before"))
    rows = await tx.fetch(
        f"""select {_PAYMENT_COLUMNS} from payment p where {found.sql}
            order by p.id desc limit {found.parameter(limit)}""",
        *found.values,
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


async def attempts_by_id(tx: Tx, attempt_ids: Sequence[UUID]) -> list[Attempt]:
    """Many attempts in one query, the first one first."""
    rows = await tx.fetch(
        f"""select {_ATTEMPT_COLUMNS} from payment_attempt t
            where t.tenant_id = $1 and t.id = any($2::uuid[]) order by t.id""",
        tx.tenant_id,
        attempt_ids,
    )
    return [_attempt_from_row(row) for row in rows]


async def live_attempts_of(tx: Tx, invoice_ids: Sequence[UUID]) -> dict[UUID, Attempt]:
    """The attempts that may still move money, by invoice; there is one at most for each."""
    rows = await tx.fetch(
        f"""select {_ATTEMPT_COLUMNS} from payment_attempt t
            where t.tenant_id = $1 and t.invoice_id = any($2::uuid[])
                and t.state not in ('succeeded', 'declined', 'not_attempted')""",
        tx.tenant_id,
        invoice_ids,
    )
    return {row["invoice_id"]: _attempt_from_row(row) for row in rows}


async def live_attempt_of(tx: Tx, invoice_id: UUID) -> Attempt | None:
    """The attempt of an invoice that may still move money."""
    return (await live_attempts_of(tx, [invoice_id])).get(invoice_id)


async def has_live_attempts(tx: Tx, account_id: UUID) -> bool:
    """Whether money of an account may still move."""
    found: bool = await tx.fetch_value(
        """select exists (select from payment p
               join payment_attempt t on t.tenant_id = p.tenant_id and t.payment_id = p.id
               where p.tenant_id = $1 and p.account_id = $2
                   and t.state not in ('succeeded', 'declined', 'not_attempted'))""",
        tx.tenant_id,
        account_id,
    )
    return found


async def methods_in_use(tx: Tx, method_ids: Sequence[UUID]) -> set[UUID]:
    """With which of these payment methods money may still move."""
    rows = await tx.fetch(
        """select distinct p.payment_method_id from payment p
           join payment_attempt t on t.tenant_id = p.tenant_id and t.payment_id = p.id
           where p.tenant_id = $1 and p.payment_method_id = any($2::uuid[])
               and p.payment_method_id is not null
               and t.state not in ('succeeded', 'declined', 'not_attempted')""",
        tx.tenant_id,
        method_ids,
    )
    return {row["payment_method_id"] for row in rows}


async def attempt_of_event(
    tx: Tx, *, provider: str, provider_key: str | None, references: Sequence[str]
) -> AttemptId | None:
    """The attempt that a provider speaks of, by our key or else by its own names for the payment or the
    page; none when that is not one of this tenant's, or could be several.
    """
    rows = await tx.fetch(
        """select id, true as is_named from payment_attempt
               where tenant_id = $1 and provider = $2 and provider_key = $3
           union
           select id, false from payment_attempt
               where tenant_id = $1 and provider = $2 and provider_reference = any($4::text[])
           union
           select id, false from payment_attempt
               where tenant_id = $1 and provider = $2 and page_reference = any($4::text[])""",
        tx.tenant_id,
        provider,
        provider_key,
        references,
    )
    named = {row["id"] for row in rows if row["is_named"]}
    found = named or {row["id"] for row in rows}
    return AttemptId(found.pop()) if len(found) == 1 else None


async def payment_of_reference(tx: Tx, *, provider: str, reference: str) -> UUID | None:
    """The payment that a provider calls so, or whose page it calls so."""
    payment_id: UUID | None = await tx.fetch_value(
        """select payment_id from payment_attempt
           where tenant_id = $1 and provider_reference = $2 and provider = $3
           union all
           select payment_id from payment_attempt
           where tenant_id = $1 and page_reference = $2 and provider = $3
           limit 1""",
        tx.tenant_id,
        reference,
        provider,
    )
    return payment_id


async def request_of(tx: Tx, payment_id: UUID, *, provider_key: str) -> CollectRequest:
    """What a provider is asked for a payment, but for the saved method."""
    row = await tx.fetch_row(
        """select p.account_id, p.currency, p.amount_minor, p.method, p.reference, p.received_on,
               i.number as invoice_number, a.name, a.email
           from payment p
           join invoice i on i.tenant_id = p.tenant_id and i.id = p.invoice_id
           join account a on a.tenant_id = p.tenant_id and a.id = p.account_id
           where p.tenant_id = $1 and p.id = $2""",
        tx.tenant_id,
        payment_id,
    )
    if row is None:
        raise payment_unknown(payment_id=payment_id)
    return CollectRequest(
        provider_key=provider_key,
        amount=Money(row["amount_minor"], currency_of(row["currency"])),
        invoice_number=row["invoice_number"],
        payer=Payer(row["account_id"], row["name"], row["email"]),
        method=PaymentMethod(row["method"]),
        reference=row["reference"],
        received_on=row["received_on"],
        tenant_id=tx.tenant_id,
    )


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
        origin=Origin(row["origin"]),
        saved_method_id=row["payment_method_id"],
        captured_minor=row["captured_minor"],
        unapplied_minor=row["unapplied_minor"],
        refunded_minor=row["refunded_minor"],
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
        channel=Channel(row["channel"]),
        decline=Decline(row["decline"]) if row["decline"] else None,
        page_reference=row["page_reference"],
        page_url_sealed=row["page_url_sealed"],
        page_expires_at=row["page_expires_at"],
        saves_method=row["saves_method"],
    )
