"""How do charges become documents, one or a thousand at a time?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.invoicing.model import (
    Billed,
    InvoiceDraft,
    InvoiceId,
    InvoiceTiming,
    IssuedInvoice,
    LiveCharge,
    Surplus,
)
from billwright.features.invoicing.operations.issue_documents import (
    issue_documents,
    issue_terms,
    prepare_documents,
)
from billwright.features.invoicing.rules.collection import Payer, collect, waits
from billwright.features.invoicing.rules.prepared import PreparedDocument, prepare
from billwright.features.invoicing.rules.surplus import by_invoice
from billwright.features.invoicing.sql.reads import pending_charges
from billwright.features.invoicing.sql.reads_credit import corrected_invoices
from billwright.features.invoicing.sql.writes import insert_kept_drafts
from billwright.features.invoicing.sql.writes_charges import insert_charges, take_back_charges
from billwright.features.promotions.operations.record_discounts import record_discounts
from billwright.kernel.currency import currency_of
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


async def bill_charges(tx: Tx, drafts: Sequence[InvoiceDraft]) -> Billed:
    """Write charges down and bring them onto documents, in a handful of statements for any number.

    What waited for its payer's next document comes onto it first. What a draft's timing and the
    account's collection policy put off waits, and so does, by policy, what comes to less than the
    seller's minimum. Less than nothing makes a credit note, which leaves its amount as account
    credit; credit pays what it can of the invoices, in the order of the drafts. Drafts without
    charges are left out. The accounts are locked; the series of numbers are until the commit, so
    that nothing slow may follow in the same transaction.

    Refuses: `tax_rate_unknown`, `tax_engine_unknown`.
    """
    drafts = [draft for draft in drafts if draft.charges]
    if not drafts:
        return Billed()
    drafts = await _with_refunds_apart(tx, drafts)
    await take_back_charges(tx, drafts)
    payers = [draft.account.id for draft in drafts if not waits(draft)]
    pending = await pending_charges(tx, payers) if payers else {}
    return await _bill(tx, drafts, pending=pending)


async def _with_refunds_apart(tx: Tx, drafts: Sequence[InvoiceDraft]) -> Sequence[InvoiceDraft]:
    """Drafts that are to pay back what several invoices charged, as one for each invoice: a refund
    returns the payment of one.
    """
    refunding = [draft for draft in drafts if draft.surplus is Surplus.TO_REFUND]
    if not refunding:
        return drafts
    corrected = await corrected_invoices(
        tx,
        [
            charge.corrects_charge_id
            for draft in refunding
            for charge in draft.charges
            if charge.corrects_charge_id is not None
        ],
    )
    invoices = {charge_id: invoice.id for charge_id, invoice in corrected.items()}
    return [
        part
        for draft in drafts
        for part in (
            by_invoice(draft, invoices) if draft.surplus is Surplus.TO_REFUND else (draft,)
        )
    ]


async def bill_pending_charges(
    tx: Tx, accounts: Sequence[Account], *, timing: InvoiceTiming
) -> Billed:
    """Bring all that waits for a document onto one for each account and currency; by policy, what
    comes to less than the seller's minimum goes on waiting. The accounts are locked.
    """
    pending = await pending_charges(tx, [account.id for account in accounts])
    known: dict[UUID, Account] = {account.id: account for account in accounts}
    drafts = [
        InvoiceDraft(known[account_id], currency_of(currency), (), timing=timing)
        for account_id, currency in pending
    ]
    return await _bill(tx, drafts, pending=pending, is_billing_day=True) if drafts else Billed()


async def _bill(
    tx: Tx,
    drafts: Sequence[InvoiceDraft],
    *,
    pending: Mapping[Payer, Sequence[LiveCharge]],
    is_billing_day: bool = False,
) -> Billed:
    terms = await issue_terms(tx, [draft.account for draft in drafts])
    collected = collect(
        drafts,
        pending=pending,
        minimums=terms.seller.minimum_invoice,
        totals_of=terms.totals_of,
        is_billing_day=is_billing_day,
    )
    documents = await prepare_documents(tx, collected.documents, terms=terms)
    kept = [
        prepare(gathered, new_id=InvoiceId(new_id()), terms=terms) for gathered in collected.kept
    ]
    await insert_kept_drafts(tx, kept, zone=terms.seller.zone)
    discounts = await insert_charges(tx, [*documents, *kept], waiting=collected.waiting)
    if discounts:
        await record_discounts(tx, discounts)
    issued = await issue_documents(tx, documents, terms=terms)
    return Billed((*issued, *map(_kept, kept)), pending=collected.pending, held=collected.held)


def _kept(draft: PreparedDocument) -> IssuedInvoice:
    return IssuedInvoice(
        draft.id,
        None,
        draft.draft.account.id,
        draft.draft.currency.code,
        draft.total_minor,
        draft.kind,
        draft.due_minor,
    )
