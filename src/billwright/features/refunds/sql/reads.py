"""What does the database know of money that goes back?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict, Unpack
from uuid import UUID

import asyncpg

from billwright.features.payment_providers.model import DisputeState
from billwright.features.payment_providers.port import RefundRequest
from billwright.features.payments.model import PaymentId
from billwright.features.refunds.errors import dispute_unknown, refund_unknown
from billwright.features.refunds.model import (
    DisputeId,
    Refund,
    RefundId,
    RefundOrigin,
    RefundState,
    StoredDispute,
)
from billwright.features.refunds.rules.refundable import PaymentMoney
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.runtime.db.conditions import Conditions
from billwright.runtime.db.tx import Tx

REFUND_COLUMNS = """r.id, r.account_id, r.payment_id, r.credit_note_id, r.origin, r.provider,
    r.provider_key, r.provider_reference, r.state, r.currency, r.amount_minor, r.reason, r.failure_code,
    r.next_check_at, r.version, r.created_at, r.updated_at"""
DISPUTE_COLUMNS = """d.id, d.account_id, d.payment_id, d.provider, d.provider_reference, d.state,
    d.currency, d.amount_minor, d.reason, d.respond_by, d.closed_at, d.version, d.created_at,
    d.updated_at"""


async def refund_by_id(tx: Tx, refund_id: UUID) -> Refund:
    """One refund. Refuses: `refund_unknown`."""
    row = await tx.fetch_row(
        f"select {REFUND_COLUMNS} from refund r where r.tenant_id = $1 and r.id = $2",
        tx.tenant_id,
        refund_id,
    )
    if row is None:
        raise refund_unknown(refund_id=refund_id)
    return refund_from_row(row)


async def refunds_by_id(tx: Tx, refund_ids: Sequence[UUID]) -> list[Refund]:
    """Several refunds, the first one first."""
    rows = await tx.fetch(
        f"""select {REFUND_COLUMNS} from refund r
            where r.tenant_id = $1 and r.id = any($2::uuid[]) order by r.id""",
        tx.tenant_id,
        refund_ids,
    )
    return [refund_from_row(row) for row in rows]


async def refund_of_key(tx: Tx, provider_key: str) -> Refund | None:
    """The refund that was asked for under a key of ours."""
    row = await tx.fetch_row(
        f"select {REFUND_COLUMNS} from refund r where r.tenant_id = $1 and r.provider_key = $2",
        tx.tenant_id,
        provider_key,
    )
    return None if row is None else refund_from_row(row)


async def refund_of_reference(tx: Tx, *, provider: str, reference: str) -> Refund | None:
    """The refund that a provider calls so."""
    row = await tx.fetch_row(
        f"""select {REFUND_COLUMNS} from refund r
            where r.tenant_id = $1 and r.provider_reference = $2 and r.provider = $3
            order by r.id limit 1""",
        tx.tenant_id,
        reference,
        provider,
    )
    return None if row is None else refund_from_row(row)


class RefundFilter(TypedDict, total=False):
    """Which refunds are asked for; instants are from the first one on and up to the second one."""

    account_id: UUID | None
    payment_id: UUID | None
    credit_note_id: UUID | None
    state: RefundState | None
    created_after: datetime | None
    created_before: datetime | None


async def list_refunds(
    tx: Tx, *, before: UUID | None, limit: int, **asked: Unpack[RefundFilter]
) -> list[Refund]:
    """Refunds, newest first, that come after the one named `before` in that order."""
    found = Conditions("r.tenant_id = {}", tx.tenant_id)
    found.add("r.id < {}", before)
    found.add("r.account_id = {}", asked.get("account_id"))
    found.add("r.payment_id = {}", asked.get("payment_id"))
    found.add("r.credit_note_id = {}", asked.get("credit_note_id"))
    found.add("r.state = {}", asked.get("state"))
    found.add("r.created_at >= {}", asked.get("created_after"))
    found.add("r.created_at < {}", asked.get("created_before"))
    rows = await tx.fetch(
        f"""select {REFUND_COLUMNS} from refund r where {found.sql}
            order by r.id desc limit {found.parameter(limit)}""",
        *found.values,
    )
    return [refund_from_row(row) for row in rows]


async def refund_request(tx: Tx, refund: Refund) -> RefundRequest | None:
    """What a provider is asked, with its own reference of the payment; none where it never gave one."""
    # A page has a reference from the first, its payment only once somebody has paid on it.
    reference = await tx.fetch_value(
        """select coalesce(provider_reference, page_reference) from payment_attempt
           where tenant_id = $1 and payment_id = $2
           order by state = 'succeeded' desc, id desc limit 1""",
        tx.tenant_id,
        refund.payment_id,
    )
    if reference is None:
        return None
    return RefundRequest(
        provider_key=refund.provider_key,
        payment_reference=reference,
        amount=refund.amount,
        reason=refund.reason,
        tenant_id=tx.tenant_id,
    )


async def refunded_for_notes(tx: Tx, credit_note_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What was given back for credit notes or is on its way, in minor units, of those that have some."""
    rows = await tx.fetch(
        """select credit_note_id, sum(amount_minor)::bigint as refunded from refund
           where tenant_id = $1 and credit_note_id = any($2::uuid[]) and credit_note_id is not null
               and state <> 'failed'
           group by credit_note_id""",
        tx.tenant_id,
        credit_note_ids,
    )
    return {row["credit_note_id"]: row["refunded"] for row in rows}


async def refunded_of_payments(tx: Tx, payment_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What was given back of payments that have refunds or is on its way, in minor units."""
    rows = await tx.fetch(
        """select payment_id,
               coalesce(sum(amount_minor) filter (where state <> 'failed'), 0)::bigint as refunded
           from refund where tenant_id = $1 and payment_id = any($2::uuid[])
           group by payment_id""",
        tx.tenant_id,
        payment_ids,
    )
    return {row["payment_id"]: row["refunded"] for row in rows}


async def money_of_invoices(tx: Tx, invoice_ids: Sequence[UUID]) -> dict[UUID, list[PaymentMoney]]:
    """What has come for invoices and where it went, by invoice, the newest payment first."""
    rows = await tx.fetch(
        """select p.invoice_id, p.id, p.account_id, p.provider, p.captured_minor, p.unapplied_minor,
               coalesce(r.for_notes, 0)::bigint as for_notes,
               coalesce(r.from_credit, 0)::bigint as from_credit,
               coalesce(r.by_provider, 0)::bigint as by_provider,
               coalesce(d.disputed, 0)::bigint as disputed
           from payment p
           left join lateral (
               select sum(amount_minor) filter (where credit_note_id is not null) as for_notes,
                   sum(amount_minor) filter (where credit_note_id is null and origin = 'requested')
                       as from_credit,
                   sum(amount_minor) filter (where credit_note_id is null and origin = 'provider')
                       as by_provider
               from refund
               where tenant_id = p.tenant_id and payment_id = p.id and state <> 'failed'
           ) r on true
           left join lateral (
               select sum(amount_minor) as disputed from dispute
               where tenant_id = p.tenant_id and payment_id = p.id and state <> 'won'
                   and currency = p.currency
           ) d on true
           where p.tenant_id = $1 and p.invoice_id = any($2::uuid[]) and p.captured_minor > 0
           order by p.id desc""",
        tx.tenant_id,
        invoice_ids,
    )
    money: dict[UUID, list[PaymentMoney]] = defaultdict(list)
    for row in rows:
        one = PaymentMoney(
            payment_id=row["id"],
            account_id=row["account_id"],
            provider=row["provider"],
            captured_minor=row["captured_minor"],
            unapplied_minor=row["unapplied_minor"],
            for_notes_minor=row["for_notes"],
            from_credit_minor=row["from_credit"],
            by_provider_minor=row["by_provider"],
            disputed_minor=row["disputed"],
        )
        money[row["invoice_id"]].append(one)
    return dict(money)


async def dispute_by_id(tx: Tx, dispute_id: UUID) -> StoredDispute:
    """One dispute. Refuses: `dispute_unknown`."""
    row = await tx.fetch_row(
        f"select {DISPUTE_COLUMNS} from dispute d where d.tenant_id = $1 and d.id = $2",
        tx.tenant_id,
        dispute_id,
    )
    if row is None:
        raise dispute_unknown(dispute_id=dispute_id)
    return dispute_from_row(row)


async def dispute_of_reference(tx: Tx, *, provider: str, reference: str) -> StoredDispute | None:
    """The dispute that a provider calls so."""
    row = await tx.fetch_row(
        f"""select {DISPUTE_COLUMNS} from dispute d
            where d.tenant_id = $1 and d.provider = $2 and d.provider_reference = $3""",
        tx.tenant_id,
        provider,
        reference,
    )
    return None if row is None else dispute_from_row(row)


async def list_disputes(
    tx: Tx,
    *,
    before: UUID | None,
    limit: int,
    account_id: UUID | None = None,
    payment_id: UUID | None = None,
    state: DisputeState | None = None,
) -> list[StoredDispute]:
    """Disputes, newest first, that come after the one named `before` in that order."""
    rows = await tx.fetch(
        f"""select {DISPUTE_COLUMNS} from dispute d
            where d.tenant_id = $1 and ($2::uuid is null or d.id < $2)
                and ($4::uuid is null or d.account_id = $4)
                and ($5::uuid is null or d.payment_id = $5)
                and ($6::text is null or d.state = $6)
            order by d.id desc limit $3""",
        tx.tenant_id,
        before,
        limit,
        account_id,
        payment_id,
        state.value if state else None,
    )
    return [dispute_from_row(row) for row in rows]


def refund_from_row(row: asyncpg.Record) -> Refund:
    """A refund from a row that holds its columns."""
    return Refund(
        id=RefundId(row["id"]),
        account_id=row["account_id"],
        payment_id=PaymentId(row["payment_id"]),
        credit_note_id=row["credit_note_id"],
        origin=RefundOrigin(row["origin"]),
        provider=row["provider"],
        provider_key=row["provider_key"],
        provider_reference=row["provider_reference"],
        state=RefundState(row["state"]),
        amount=Money(row["amount_minor"], currency_of(row["currency"])),
        reason=row["reason"],
        failure_code=row["failure_code"],
        next_check_at=row["next_check_at"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def dispute_from_row(row: asyncpg.Record) -> StoredDispute:
    """A dispute from a row that holds its columns."""
    return StoredDispute(
        id=DisputeId(row["id"]),
        account_id=row["account_id"],
        payment_id=PaymentId(row["payment_id"]),
        provider=row["provider"],
        provider_reference=row["provider_reference"],
        state=DisputeState(row["state"]),
        amount=Money(row["amount_minor"], currency_of(row["currency"])),
        reason=row["reason"],
        respond_by=row["respond_by"],
        closed_at=row["closed_at"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
