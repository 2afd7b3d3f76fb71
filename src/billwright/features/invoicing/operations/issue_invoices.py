"""How do charges become finalized invoices, one or a thousand at a time?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from billwright.features.invoicing.events import InvoiceFinalized, InvoicePaid
from billwright.features.invoicing.model import (
    InvoiceDraft,
    InvoiceId,
    IssuedInvoice,
    NewCharge,
)
from billwright.features.invoicing.rules.numbering import (
    DEFAULT_SERIES,
    DEFAULT_TEMPLATE,
    fiscal_year,
)
from billwright.features.invoicing.rules.parties import buyer_party, seller_party
from billwright.features.invoicing.rules.totals import Totals, totals_of
from billwright.features.invoicing.sql.writes import (
    Numbers,
    PreparedInvoice,
    ensure_series,
    insert_finalized,
    insert_lines,
    insert_parties,
    take_numbers,
)
from billwright.features.tax.model import TaxDecision
from billwright.features.tax.operations.decide_taxes import decide_taxes
from billwright.features.tax.rules.rate import line_rate
from billwright.features.tax.rules.tax_point import tax_point
from billwright.features.tenancy.model import Seller
from billwright.features.tenancy.sql.reads import the_seller
from billwright.kernel.calendar import local_date
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


async def issue_invoices(tx: Tx, drafts: Sequence[InvoiceDraft]) -> list[IssuedInvoice]:
    """Finalize drafts: number, date, tax, lines, parties and events, in a handful of statements.

    Drafts without charges are left out. An invoice of nothing is paid at once. The series is locked
    until the commit, so that nothing slow may follow in the same transaction. Refuses:
    `tax_rate_unknown`.
    """
    drafts = [draft for draft in drafts if draft.charges]
    if not drafts:
        return []
    seller = await the_seller(tx)
    issued_on = local_date(tx.now, seller.zone)
    taxes = await decide_taxes(tx, [draft.account for draft in drafts], seller=seller, on=issued_on)
    invoices = [
        _prepared(
            draft,
            _totals(tx, draft, tax=taxes[draft.account.id], seller=seller, issued_on=issued_on),
            tax=taxes[draft.account.id],
            issued_on=issued_on,
            seller=seller,
        )
        for draft in drafts
    ]
    issuer = seller_party(seller)
    await insert_parties(tx, [issuer, *(invoice.buyer for invoice in invoices)])
    await insert_lines(tx, invoices)
    numbers = await _take_numbers(
        tx,
        seller,
        year=fiscal_year(issued_on, start_month=seller.fiscal_year_start_month),
        count=len(invoices),
    )
    await insert_finalized(
        tx,
        invoices,
        numbers=numbers,
        seller_party_id=issuer.id,
        zone=seller.zone,
        issued_on=issued_on,
    )
    return [
        _published(tx, invoice, numbers=numbers, sequence=sequence)
        for sequence, invoice in enumerate(invoices, start=numbers.first_sequence)
    ]


def _totals(
    tx: Tx, draft: InvoiceDraft, *, tax: TaxDecision, seller: Seller, issued_on: date
) -> Totals:
    def rate_of(charge: NewCharge) -> Decimal:
        return line_rate(
            charge.tax_category,
            treatment=tax.treatment,
            own_rates=seller.tax_rates,
            on=tax_point(
                service_end=charge.period_end,
                issued_at=tx.now,
                issued_on=issued_on,
                zone=seller.zone,
            ),
        )

    return totals_of(draft, rate_of=rate_of)


async def _take_numbers(tx: Tx, seller: Seller, *, year: int, count: int) -> Numbers:
    taken = await take_numbers(
        tx, seller_id=seller.id, code=DEFAULT_SERIES, fiscal_year=year, count=count
    )
    if taken is None:
        await ensure_series(tx, seller_id=seller.id, code=DEFAULT_SERIES, template=DEFAULT_TEMPLATE)
        taken = await take_numbers(
            tx, seller_id=seller.id, code=DEFAULT_SERIES, fiscal_year=year, count=count
        )
    assert taken is not None  # noqa: S101 - the series was just ensured
    return taken


def _prepared(
    draft: InvoiceDraft, totals: Totals, *, tax: TaxDecision, issued_on: date, seller: Seller
) -> PreparedInvoice:
    terms = draft.account.payment_terms_days
    days = seller.payment_terms_days if terms is None else terms
    return PreparedInvoice(
        id=InvoiceId(new_id()),
        draft=draft,
        tax=tax,
        totals=totals,
        total_minor=totals.total_minor,
        buyer=buyer_party(draft.account),
        due_on=issued_on + timedelta(days=days),
    )


def _published(
    tx: Tx, invoice: PreparedInvoice, *, numbers: Numbers, sequence: int
) -> IssuedInvoice:
    account_id, currency = invoice.draft.account.id, invoice.draft.currency.code
    number = numbers.number(sequence)
    tx.publish(
        InvoiceFinalized(
            subject_id=invoice.id,
            account_id=account_id,
            number=number,
            currency=currency,
            total_minor=invoice.total_minor,
            due_minor=invoice.total_minor,
            due_on=invoice.due_on,
        )
    )
    if invoice.settled:
        tx.publish(
            InvoicePaid(
                subject_id=invoice.id,
                account_id=account_id,
                number=number,
                currency=currency,
                total_minor=invoice.total_minor,
            )
        )
    return IssuedInvoice(invoice.id, number, account_id, invoice.total_minor)
