"""How does a person change an invoice that is not finalized?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.invoicing.events import InvoiceDraftChanged
from billwright.features.invoicing.model import (
    ChargeKind,
    Invoice,
    InvoiceDraft,
    NewCharge,
)
from billwright.features.invoicing.operations.issue_documents import issue_terms
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.invoicing.rules.collection import Gathered
from billwright.features.invoicing.rules.lifecycle import INVOICE_LIFECYCLE, InvoiceAction
from billwright.features.invoicing.rules.manual_line import ManualLine, manual_charges
from billwright.features.invoicing.rules.prepared import prepare
from billwright.features.invoicing.sql.reads import charges_of_invoice, invoice_by_id
from billwright.features.invoicing.sql.writes_charges import insert_charges, place_pulled_charges
from billwright.features.invoicing.sql.writes_documents import (
    release_lines,
    set_texts,
    update_draft_row,
)
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateDraft:
    """What becomes different; what is none stays. `lines` take the place of those that a person wrote,
    while lines of subscriptions stay.
    """

    invoice_id: UUID
    lines: tuple[ManualLine, ...] | None = None
    reference: str | None = None
    note: str | None = None
    expected_version: int | None = None


async def update_draft(tx: Tx, command: UpdateDraft) -> Invoice:
    """Refuses: `invoice_unknown`, `invoice_stale`, `state_forbids`, `invoice_without_line`,
    `invoice_total_negative`, `line_too_large`, `line_period_reversed`, `tax_rate_unknown`.
    """
    invoice = await lock_invoice(tx, command.invoice_id, expected_version=command.expected_version)
    INVOICE_LIFECYCLE.next(invoice.state, InvoiceAction.EDIT)
    texts = replace(
        invoice,
        reference=invoice.reference if command.reference is None else command.reference,
        note=invoice.note if command.note is None else command.note,
    )
    if command.lines is None:
        await set_texts(tx, invoice.id, reference=texts.reference, note=texts.note)
    else:
        await _replace_lines(tx, texts, lines=command.lines)
    changed = await invoice_by_id(tx, invoice.id)
    tx.publish(
        InvoiceDraftChanged(
            subject_id=invoice.id,
            account_id=invoice.account_id,
            currency=invoice.currency.code,
            total_minor=changed.total_minor,
        )
    )
    tx.audit("invoice.update_draft", subject_type="invoice", subject_id=invoice.id, details=command)
    return changed


async def _replace_lines(tx: Tx, invoice: Invoice, *, lines: Sequence[ManualLine]) -> None:
    kept = [
        line.untaxed()
        for line in await charges_of_invoice(tx, invoice.id)
        if line.charge.kind is not ChargeKind.MANUAL
    ]
    own: tuple[NewCharge, ...] = ()
    if lines or not kept:
        own = manual_charges(lines, written_at=tx.now, currency=invoice.currency)
    account = await account_by_id(tx, invoice.account_id)
    terms = await issue_terms(tx, [account])
    draft = InvoiceDraft(account, invoice.currency, own, invoice.reference)
    totals = terms.totals_of(draft, [*(each.charge for each in kept), *own])
    prepared = prepare(
        Gathered(draft, kept, totals, kept_as=invoice.id), new_id=invoice.id, terms=terms
    )
    await release_lines(tx, invoice.id)
    await update_draft_row(tx, prepared, reference=invoice.reference, note=invoice.note)
    await place_pulled_charges(tx, [prepared])
    await insert_charges(tx, [prepared], waiting={})
