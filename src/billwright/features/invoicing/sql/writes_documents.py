"""How does one document at a time change, and what does that do to its lines?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg

from billwright.features.invoicing.model import (
    ChargeKind,
    DocumentKind,
    Invoice,
    InvoiceState,
)
from billwright.features.invoicing.rules.credit_note import Credit
from billwright.features.invoicing.rules.credit_note_document import CreditNote, credited_units
from billwright.features.invoicing.rules.prepared import PreparedDocument
from billwright.features.invoicing.sql.writes_numbers import DocumentNumber
from billwright.kernel.ids import new_id
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx


async def insert_note_lines(tx: Tx, note: CreditNote) -> None:
    """Store what a note gives back as the lines of a document whose row is stored next."""
    currency = note.invoice.currency
    rows = []
    for position, (credit, tax_minor) in enumerate(
        zip(note.credits, note.tax.line_tax_minor, strict=True), start=1
    ):
        line, units = credit.line, credited_units(credit, currency)
        rows.append(
            {
                "id": new_id(),
                "account_id": note.invoice.account_id,
                "subscription_id": line.subscription_id,
                "plan_component_id": line.plan_component_id,
                "kind": ChargeKind.CREDIT,
                "period_start": line.period_start,
                "period_end": line.period_end,
                "description": line.description,
                "quantity": units.quantity,
                "unit_name": units.unit_name,
                "unit_price": units.unit_price,
                "currency": currency.code,
                "amount_minor": -credit.amount_minor,
                "discount_minor": 0,
                "tax_category": line.tax_category,
                "tax_inclusive": line.tax_inclusive,
                "tax_rate": line.tax_rate,
                "tax_minor": tax_minor,
                "corrects_charge_id": line.id,
                "credited_minor": 0,
                "rule_version": 1,
                "invoice_id": note.id,
                "position": position,
                "line_count": len(note.credits),
                "created_at": tx.now,
            }
        )
    await tx.insert("charge", rows)


async def take_from_lines(tx: Tx, given: Sequence[Credit]) -> None:
    """Note on the lines of a locked invoice what is given back of them."""
    await tx.execute(
        """update charge c set credited_minor = c.credited_minor + u.credited_minor
           from json_populate_recordset(null::charge, $2::json) as u
           where c.tenant_id = $1 and c.id = u.id""",
        tx.tenant_id,
        to_json([{"id": each.line.id, "credited_minor": each.amount_minor} for each in given]),
    )


async def insert_note(tx: Tx, note: CreditNote, *, number: DocumentNumber) -> None:
    """Store a note that is issued, whose lines are stored already."""
    invoice = note.invoice
    await tx.insert(
        "invoice",
        [
            {
                "id": note.id,
                "account_id": invoice.account_id,
                "kind": DocumentKind.CREDIT_NOTE,
                "state": InvoiceState.PAID,
                "corrects_invoice_id": invoice.id,
                "reason": note.reason,
                "note": note.note,
                "series_id": number.series_id,
                "fiscal_year": number.fiscal_year,
                "sequence": number.sequence,
                "number": number.text,
                "currency": invoice.currency.code,
                "subtotal_minor": note.subtotal_minor,
                "tax_minor": note.tax.total_minor,
                "total_minor": note.total_minor,
                "paid_minor": 0,
                "credit_applied_minor": 0,
                "credited_minor": 0,
                "to_balance_minor": note.allocation.to_balance_minor,
                "to_refund_minor": note.allocation.to_refund_minor,
                "taxes": note.tax.parts,
                "tax_treatment": invoice.tax_treatment,
                "tax_country": invoice.tax_country,
                "tax_note": invoice.tax_note,
                "tax_code": invoice.tax_code,
                "vat_id_status": invoice.vat_id_status,
                "seller_party_id": invoice.seller_party_id,
                "buyer_party_id": invoice.buyer_party_id,
                "locale": invoice.locale,
                "zone": invoice.zone,
                "reference": invoice.reference,
                "line_count": len(note.credits),
                "period_start": min(credit.line.period_start for credit in note.credits),
                "period_end": max(credit.line.period_end for credit in note.credits),
                "issued_on": note.issued_on,
                "finalized_at": tx.now,
                "paid_at": tx.now,
                "version": 1,
                "created_at": tx.now,
                "updated_at": tx.now,
            }
        ],
    )


async def set_outcome(tx: Tx, invoice: Invoice, *, reason: str | None = None) -> None:
    """Store what a person's command made of a locked, finalized invoice: its state and when it came
    to that, and what credit has taken off it; with the `reason` when it is void.
    """
    await tx.execute(
        """update invoice set state = $3, credited_minor = $4, credit_applied_minor = $5, paid_at = $6,
               voided_at = $7, uncollectible_at = $8, reason = coalesce($9, reason),
               collect_at = case when $3 in ('open', 'partially_paid') then collect_at end,
               version = version + 1, updated_at = $10
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        invoice.id,
        invoice.state.value,
        invoice.credited_minor,
        invoice.credit_applied_minor,
        invoice.paid_at,
        invoice.voided_at,
        invoice.uncollectible_at,
        reason,
        tx.now,
    )


async def offset_invoices(tx: Tx, offsets: Mapping[UUID, int]) -> list[asyncpg.Record]:
    """Make less due on invoices whose account is locked, by amounts in minor units; returns those on
    which nothing is due any more.
    """
    return await tx.fetch(
        """update invoice i
           set credited_minor = i.credited_minor + o.amount,
               state = case when i.due_minor = o.amount then 'paid'
                            when i.state = 'uncollectible' then i.state
                            else 'partially_paid' end,
               paid_at = case when i.due_minor = o.amount then $4::timestamptz end,
               collect_at = case when i.due_minor > o.amount then i.collect_at end,
               version = i.version + 1, updated_at = $4
           from unnest($2::uuid[], $3::bigint[]) as o (id, amount)
           where i.tenant_id = $1 and i.id = o.id
           returning i.id, i.account_id, i.number, i.currency, i.total_minor, i.state""",
        tx.tenant_id,
        list(offsets),
        list(offsets.values()),
        tx.now,
    )


async def set_credit_applied(tx: Tx, amounts: Mapping[UUID, int]) -> dict[UUID, int]:
    """Note on locked invoices what account credit pays of them, in minor units; what is due then."""
    rows = await tx.fetch(
        """update invoice i
           set credit_applied_minor = i.credit_applied_minor + o.amount,
               state = case when i.due_minor = o.amount then 'paid' else 'partially_paid' end,
               paid_at = case when i.due_minor = o.amount then $4::timestamptz end,
               collect_at = case when i.due_minor > o.amount then i.collect_at end,
               version = i.version + 1, updated_at = $4
           from unnest($2::uuid[], $3::bigint[]) as o (id, amount)
           where i.tenant_id = $1 and i.id = o.id
           returning i.id, i.due_minor""",
        tx.tenant_id,
        list(amounts),
        list(amounts.values()),
        tx.now,
    )
    return {row["id"]: row["due_minor"] for row in rows}


async def reverse_lines(tx: Tx, invoice_id: UUID) -> None:
    """Note on the lines of an invoice that is void that they are owed no more, from the first instant
    on, so that the same may be charged again.
    """
    await tx.execute(
        """update charge set reversed_from = period_start
           where tenant_id = $1 and invoice_id = $2""",
        tx.tenant_id,
        invoice_id,
    )


async def release_lines(tx: Tx, invoice_id: UUID) -> None:
    """Take all lines off a draft: what was written for it is gone, the rest waits for a document."""
    await tx.execute(
        "delete from charge where tenant_id = $1 and invoice_id = $2 and kind = 'manual'",
        tx.tenant_id,
        invoice_id,
    )
    await tx.execute(
        """update charge set invoice_id = null, position = null, line_count = null, tax_minor = null,
               tax_rate = case when corrects_charge_id is null then null else tax_rate end
           where tenant_id = $1 and invoice_id = $2""",
        tx.tenant_id,
        invoice_id,
    )


async def delete_draft_row(tx: Tx, invoice_id: UUID) -> None:
    """Delete a locked draft that has no lines any more."""
    await tx.execute(
        "delete from invoice where tenant_id = $1 and id = $2 and number is null",
        tx.tenant_id,
        invoice_id,
    )


async def update_draft_row(tx: Tx, draft: PreparedDocument, *, reference: str, note: str) -> None:
    """Store a locked draft as it is now; lines of its own are stored already."""
    charges, totals = draft.charges, draft.totals
    await tx.execute(
        """update invoice set kind = $3, subtotal_minor = $4, tax_minor = $5, total_minor = $6,
               taxes = $7, line_count = $8, period_start = $9, period_end = $10, reference = $11,
               note = $12, version = version + 1, updated_at = $13
           where tenant_id = $1 and id = $2 and number is null""",
        tx.tenant_id,
        draft.id,
        draft.kind.value,
        totals.subtotal_minor,
        totals.total_minor - totals.subtotal_minor,
        totals.total_minor,
        to_json(totals.tax.parts),
        len(charges),
        min(charge.period_start for charge in charges),
        max(charge.period_end for charge in charges),
        reference,
        note,
        tx.now,
    )


async def set_texts(tx: Tx, invoice_id: UUID, *, reference: str, note: str) -> None:
    """Store what a person wrote on a locked draft."""
    await tx.execute(
        """update invoice set reference = $3, note = $4, version = version + 1, updated_at = $5
           where tenant_id = $1 and id = $2 and number is null""",
        tx.tenant_id,
        invoice_id,
        reference,
        note,
        tx.now,
    )
