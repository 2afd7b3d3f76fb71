"""How does a draft that was kept become a document?"""

from __future__ import annotations

from billwright.features.accounts.model import Account
from billwright.features.invoicing.model import Invoice, InvoiceDraft, IssuedInvoice
from billwright.features.invoicing.operations.issue_documents import (
    issue_documents,
    issue_terms,
    prepare_documents,
)
from billwright.features.invoicing.rules.collection import Gathered
from billwright.features.invoicing.sql.reads import charges_of_invoice
from billwright.runtime.db.tx import Tx


async def finalize_draft(tx: Tx, invoice: Invoice, *, account: Account) -> IssuedInvoice:
    """Give a draft with lines the tax, parties, number and date of now; the account is locked, and
    after it the invoice. Less than nothing becomes a credit note.

    Refuses: `tax_rate_unknown`, `tax_engine_unknown`.
    """
    lines = [line.untaxed() for line in await charges_of_invoice(tx, invoice.id)]
    terms = await issue_terms(tx, [account])
    draft = InvoiceDraft(account, invoice.currency, (), invoice.reference)
    totals = terms.totals_of(draft, [line.charge for line in lines])
    gathered = Gathered(draft, lines, totals, kept_as=invoice.id)
    documents = await prepare_documents(tx, [gathered], terms=terms)
    (issued,) = await issue_documents(tx, documents, terms=terms)
    return issued
