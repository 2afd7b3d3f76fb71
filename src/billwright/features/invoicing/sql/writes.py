"""How do invoices come to be and change?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from billwright.features.invoicing.model import Invoice, InvoiceDraft, InvoiceId, InvoiceState
from billwright.features.invoicing.rules.numbering import document_number
from billwright.features.invoicing.rules.parties import Party
from billwright.features.invoicing.rules.totals import Totals
from billwright.features.invoicing.sql.reads import INVOICE_COLUMNS
from billwright.features.tax.model import TaxDecision
from billwright.kernel.ids import new_id, new_id_text
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers in a row, taken from a series that is locked until the commit."""

    series_id: UUID
    fiscal_year: int
    template: str
    first_sequence: int

    def number(self, sequence: int) -> str:
        """The number as it is printed."""
        return document_number(self.template, year=self.fiscal_year, sequence=sequence)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedInvoice:
    """A draft with everything that its finalization decided but the number."""

    id: InvoiceId
    draft: InvoiceDraft
    tax: TaxDecision
    totals: Totals
    total_minor: int
    buyer: Party
    due_on: date

    @property
    def settled(self) -> bool:
        """An invoice of nothing is paid as soon as it exists."""
        return self.total_minor == 0


async def ensure_series(tx: Tx, *, seller_id: UUID, code: str, template: str) -> None:
    """Create a series when the seller has none of this code."""
    await tx.execute(
        """insert into invoice_series (tenant_id, id, seller_id, code, template)
           values ($1, $2, $3, $4, $5) on conflict (tenant_id, seller_id, code) do nothing""",
        tx.tenant_id,
        new_id(),
        seller_id,
        code,
        template,
    )


async def take_numbers(
    tx: Tx, *, seller_id: UUID, code: str, fiscal_year: int, count: int
) -> Numbers | None:
    """Take `count` numbers in a row; the series stays locked until the commit, which is what makes
    numbers gapless. None when the seller has no such series yet.
    """
    row = await tx.fetch_row(
        """insert into invoice_number (tenant_id, series_id, fiscal_year, last_sequence)
           select $1, s.id, $4, $5 from invoice_series s
           where s.tenant_id = $1 and s.seller_id = $2 and s.code = $3
           on conflict (tenant_id, series_id, fiscal_year)
               do update set last_sequence = invoice_number.last_sequence + excluded.last_sequence
           returning series_id, last_sequence,
               (select template from invoice_series t
                where t.tenant_id = $1 and t.id = series_id) as template""",
        tx.tenant_id,
        seller_id,
        code,
        fiscal_year,
        count,
    )
    if row is None:
        return None
    return Numbers(row["series_id"], fiscal_year, row["template"], row["last_sequence"] - count + 1)


async def insert_parties(tx: Tx, parties: Sequence[Party]) -> None:
    """Store parties that are not known yet; equal data is one row."""
    unique = {party.id: party for party in parties}
    await tx.insert(
        "party",
        [{"id": key, "data": unique[key].data} for key in sorted(unique)],
        on_conflict="on conflict do nothing",
    )


async def insert_finalized(
    tx: Tx,
    invoices: Sequence[PreparedInvoice],
    *,
    numbers: Numbers,
    seller_party_id: UUID,
    zone: str,
    issued_on: date,
) -> None:
    """Store finalized invoices, numbered in their order, whose lines are stored already."""
    shared = {
        "series_id": numbers.series_id,
        "fiscal_year": numbers.fiscal_year,
        "seller_party_id": seller_party_id,
        "zone": zone,
        "issued_on": issued_on,
        "finalized_at": tx.now,
        "paid_minor": 0,
        "version": 1,
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    await tx.insert(
        "invoice",
        [
            {
                **_head(tx, invoice),
                **shared,
                "sequence": sequence,
                "number": numbers.number(sequence),
            }
            for sequence, invoice in enumerate(invoices, start=numbers.first_sequence)
        ],
    )


def _head(tx: Tx, invoice: PreparedInvoice) -> dict[str, object]:
    draft, totals = invoice.draft, invoice.totals
    treatment = invoice.tax.treatment
    return {
        "id": invoice.id,
        "account_id": draft.account.id,
        "state": InvoiceState.PAID if invoice.settled else InvoiceState.OPEN,
        "currency": draft.currency.code,
        "subtotal_minor": totals.subtotal_minor,
        "tax_minor": invoice.total_minor - totals.subtotal_minor,
        "total_minor": invoice.total_minor,
        "taxes": totals.tax.parts,
        "tax_treatment": treatment.kind,
        "tax_country": treatment.country,
        "tax_note": treatment.note,
        "tax_code": treatment.code,
        "vat_id_status": invoice.tax.vat_id_status,
        "buyer_party_id": invoice.buyer.id,
        "locale": draft.account.locale,
        "reference": draft.reference,
        "line_count": len(draft.charges),
        "period_start": min(charge.period_start for charge in draft.charges),
        "period_end": max(charge.period_end for charge in draft.charges),
        "due_on": invoice.due_on,
        "paid_at": tx.now if invoice.settled else None,
    }


async def insert_lines(tx: Tx, invoices: Sequence[PreparedInvoice]) -> None:
    """Store charges as the lines of invoices that `insert_finalized` stores next: what can be written
    before the series is locked need not be written under the lock.

    Raises `IntegrityViolation` when one of them was charged before.
    """
    await tx.insert("charge", [line for invoice in invoices for line in _lines(tx, invoice)])


def _lines(tx: Tx, invoice: PreparedInvoice) -> Iterator[dict[str, object]]:
    draft, totals = invoice.draft, invoice.totals
    for position, charge in enumerate(draft.charges, start=1):
        yield {
            "id": new_id_text(),
            "account_id": draft.account.id,
            "subscription_id": charge.subscription_id,
            "plan_component_id": charge.plan_component_id,
            "kind": charge.kind,
            "period_start": charge.period_start,
            "period_end": charge.period_end,
            "description": charge.description,
            "quantity": charge.quantity,
            "unit_name": charge.unit_name,
            "unit_price": charge.unit_price,
            "currency": draft.currency.code,
            "amount_minor": charge.amount_minor,
            "tax_category": charge.tax_category,
            "tax_rate": totals.rates[position - 1],
            "tax_minor": totals.tax.line_tax_minor[position - 1],
            "invoice_id": invoice.id,
            "position": position,
            "line_count": len(draft.charges),
            "created_at": tx.now,
        }


async def lock_invoice_row(tx: Tx, invoice_id: UUID) -> asyncpg.Record | None:
    """An invoice's row, locked until the commit."""
    return await tx.fetch_row(
        f"""select {INVOICE_COLUMNS} from invoice i
            where i.tenant_id = $1 and i.id = $2 for no key update""",
        tx.tenant_id,
        invoice_id,
    )


async def set_paid(tx: Tx, invoice: Invoice) -> None:
    """Store what has been paid on a locked invoice, and the state that follows from it."""
    await tx.execute(
        """update invoice set state = $3, paid_minor = $4, paid_at = $5, version = version + 1,
               updated_at = $6
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        invoice.id,
        invoice.state.value,
        invoice.paid_minor,
        invoice.paid_at,
        tx.now,
    )
