"""How do invoices come to be and change?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg

from billwright.features.invoicing.model import DocumentKind, Invoice, InvoiceState
from billwright.features.invoicing.rules.collect_at import first_collection
from billwright.features.invoicing.rules.parties import Party
from billwright.features.invoicing.rules.prepared import PreparedDocument
from billwright.features.invoicing.sql.reads import INVOICE_COLUMNS, invoice_from_row
from billwright.features.invoicing.sql.writes_numbers import DocumentNumber
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx

_Row = dict[str, object]


async def insert_parties(tx: Tx, parties: Sequence[Party]) -> None:
    """Store parties that are not known yet; equal data is one row."""
    unique = {party.id.int: party for party in parties}  # numbers sort five times as fast as UUIDs
    # Asking first takes a tenth of the time when most are known, as in every run but the first.
    rows = await tx.fetch(
        "select id from party where tenant_id = $1 and id = any($2::uuid[])",
        tx.tenant_id,
        [party.id for party in unique.values()],
    )
    for row in rows:
        del unique[row["id"].int]
    await tx.insert(
        "party",
        [{"id": unique[key].id, "data": unique[key].data} for key in sorted(unique)],
        on_conflict="on conflict do nothing",
    )


async def insert_kept_drafts(tx: Tx, drafts: Sequence[PreparedDocument], *, zone: str) -> None:
    """Store drafts, with totals as they would be now; their lines are stored already."""
    await tx.insert(
        "invoice",
        [
            {
                **_amounts(draft),
                "kind": draft.kind,
                "state": InvoiceState.DRAFT,
                "paid_minor": 0,
                "zone": zone,
                "version": 1,
                "created_at": tx.now,
                "updated_at": tx.now,
            }
            for draft in drafts
        ],
    )


async def store_finalized(
    tx: Tx,
    documents: Sequence[PreparedDocument],
    *,
    numbers: Sequence[DocumentNumber],
    seller_party_id: UUID,
    zone: str,
    issued_on: date,
) -> None:
    """Store finalized documents with a number each, whose lines are stored already.

    Those that were kept as drafts until now become what they are; the others are new rows.
    """
    shared = {
        "seller_party_id": seller_party_id,
        "zone": zone,
        "issued_on": issued_on,
        "finalized_at": tx.now,
        "paid_minor": 0,
        "version": 1,
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    # Most batches hold nothing but plain invoices, and each column of a row takes its time.
    is_plain = not any(
        document.was_kept
        or document.credit_applied_minor
        or document.kind is DocumentKind.CREDIT_NOTE
        for document in documents
    )
    asked_for = {
        due_on: first_collection(due_on, zone=zone, issued_at=tx.now)
        for due_on in {document.due_on for document in documents}
        if due_on is not None
    }
    rows = []
    for document, number in zip(documents, numbers, strict=True):
        row = _amounts(document)
        row |= _decisions(tx, document)
        if not is_plain:
            row |= _credit(document)
        row["series_id"] = number.series_id
        row["fiscal_year"] = number.fiscal_year
        row["sequence"] = number.sequence
        row["number"] = number.text
        due_on = document.due_on
        row["collect_at"] = asked_for[due_on] if due_on and document.due_minor else None
        rows.append(row)
    placed = list(zip(rows, documents, strict=True))
    new = [row for row, document in placed if not document.was_kept]
    await tx.insert("invoice", new, shared=shared)
    await _update_kept(tx, [row | shared for row, document in placed if document.was_kept])


def _decisions(tx: Tx, document: PreparedDocument) -> _Row:
    treatment, state = document.tax.treatment, document.state
    return {
        "state": state,
        "tax_treatment": treatment.kind,
        "tax_country": treatment.country,
        "tax_note": treatment.note,
        "tax_code": treatment.code,
        "vat_id_status": document.tax.vat_id_status,
        "buyer_party_id": document.buyer.id,
        "due_on": document.due_on,
        "paid_at": tx.now if state is InvoiceState.PAID else None,
    }


def _amounts(document: PreparedDocument) -> _Row:
    draft, totals, charges = document.draft, document.totals, document.charges
    return {
        "id": document.id,
        "account_id": draft.account.id,
        "currency": draft.currency.code,
        "subtotal_minor": totals.subtotal_minor,
        "tax_minor": totals.total_minor - totals.subtotal_minor,
        "total_minor": totals.total_minor,
        "taxes": totals.tax.parts,
        "locale": draft.account.locale,
        "reference": draft.reference,
        "line_count": len(charges),
        "period_start": min([charge.period_start for charge in charges]),
        "period_end": max([charge.period_end for charge in charges]),
    }


def _credit(document: PreparedDocument) -> _Row:
    return {
        "kind": document.kind,
        "credit_applied_minor": document.credit_applied_minor,
        "to_balance_minor": document.surplus.to_balance_minor,
        "to_refund_minor": document.surplus.to_refund_minor,
        "corrects_invoice_id": document.surplus.corrects_invoice_id,
    }


async def _update_kept(tx: Tx, rows: Sequence[_Row]) -> None:
    if not rows:
        return
    # What a row has had since it was made.
    settled = {"id", "paid_minor", "version", "created_at"}
    changes = ", ".join(f"{column} = u.{column}" for column in rows[0] if column not in settled)
    updated = await tx.execute(
        f"""update invoice i set {changes}, version = i.version + 1
            from json_populate_recordset(null::invoice, $2::json) as u
            where i.tenant_id = $1 and i.id = u.id and i.number is null""",
        tx.tenant_id,
        to_json(rows),
    )
    if updated != len(rows):
        raise RuntimeError(f"{len(rows)} drafts were to be finalized, {updated} were")


async def lock_invoice_row(tx: Tx, invoice_id: UUID) -> asyncpg.Record | None:
    """An invoice's row, locked until the commit."""
    return await tx.fetch_row(
        f"""select {INVOICE_COLUMNS} from invoice i
            where i.tenant_id = $1 and i.id = $2 for no key update""",
        tx.tenant_id,
        invoice_id,
    )


async def lock_payable_rows(
    tx: Tx, account_id: UUID, *, currency: str, limit: int
) -> list[asyncpg.Record]:
    """The rows of up to `limit` invoices of a locked account that are to be paid, locked until the
    commit: what is due first comes first.
    """
    return await tx.fetch(
        f"""select {INVOICE_COLUMNS} from invoice i
            where i.tenant_id = $1 and i.account_id = $2 and i.currency = $3
                and i.kind = 'invoice' and i.state in ('open', 'partially_paid') and i.due_minor > 0
            order by i.due_on, i.id limit $4 for no key update""",
        tx.tenant_id,
        account_id,
        currency,
        limit,
    )


async def set_paid(tx: Tx, invoice: Invoice) -> None:
    """Store what has been paid on a locked invoice, and the state that follows from it."""
    await tx.execute(
        """update invoice set state = $3, paid_minor = $4, paid_at = $5, version = version + 1,
               updated_at = $6, collect_at = case when $5::timestamptz is null then collect_at end
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        invoice.id,
        invoice.state.value,
        invoice.paid_minor,
        invoice.paid_at,
        tx.now,
    )


async def claim_to_collect(
    tx: Tx, *, as_of: datetime, test_clock_id: UUID | None, limit: int
) -> list[Invoice]:
    """Lock up to `limit` invoices whose money is asked for by `as_of`, with their accounts, those that
    have waited longest first. What another worker or a command holds is passed over.
    """
    clock = (
        "a.test_clock_id = $4" if test_clock_id else "a.test_clock_id is null and $4::uuid is null"
    )
    rows = await tx.fetch(
        # tidy: tables - only one statement can find accounts and pass over the held ones
        f"""select {INVOICE_COLUMNS} from invoice i
            join account a on a.tenant_id = i.tenant_id and a.id = i.account_id
            where i.tenant_id = $1 and i.collect_at <= $2 and {clock}
            order by i.collect_at limit $3
            for no key update skip locked""",
        tx.tenant_id,
        as_of,
        limit,
        test_clock_id,
    )
    return [invoice_from_row(row) for row in rows]


async def set_collect_at(tx: Tx, instants: Mapping[UUID, datetime | None]) -> None:
    """Store when the money of locked invoices is next asked for."""
    await tx.execute(
        """update invoice i set collect_at = u.collect_at
           from unnest($2::uuid[], $3::timestamptz[]) as u (id, collect_at)
           where i.tenant_id = $1 and i.id = u.id""",
        tx.tenant_id,
        list(instants),
        list(instants.values()),
    )
