"""How do documents get what makes them final: tax, credit, parties, lines, numbers and events?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.invoicing.events import CreditNoteIssued, InvoiceFinalized, InvoicePaid
from billwright.features.invoicing.model import (
    CreditChange,
    CreditEntryKind,
    DocumentKind,
    DraftPurpose,
    InvoiceId,
    InvoiceState,
    IssuedInvoice,
)
from billwright.features.invoicing.operations.change_credit import change_credit
from billwright.features.invoicing.rules.account_credit import credit_changes
from billwright.features.invoicing.rules.collection import Gathered, payer_of
from billwright.features.invoicing.rules.parties import seller_party
from billwright.features.invoicing.rules.prepared import IssueTerms, PreparedDocument, prepare
from billwright.features.invoicing.rules.surplus import (
    NO_SURPLUS,
    SurplusAllocation,
    allocated_surplus,
)
from billwright.features.invoicing.sql.reads_credit import corrected_invoices
from billwright.features.invoicing.sql.writes import insert_parties, store_finalized
from billwright.features.invoicing.sql.writes_charges import place_pulled_charges
from billwright.features.invoicing.sql.writes_credit import lock_credit
from billwright.features.invoicing.sql.writes_documents import offset_invoices
from billwright.features.invoicing.sql.writes_numbers import take_numbers
from billwright.features.tax.operations.decide_taxes import decide_taxes
from billwright.features.tenancy.sql.reads import the_seller
from billwright.kernel.calendar import local_date
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


async def issue_terms(tx: Tx, accounts: Sequence[Account]) -> IssueTerms:
    """What holds for documents that these accounts get now."""
    seller = await the_seller(tx)
    issued_on = local_date(tx.now, seller.zone)
    taxes = await decide_taxes(tx, accounts, seller=seller, on=issued_on)
    return IssueTerms(seller, taxes, tx.now, issued_on)


async def prepare_documents(
    tx: Tx, gathered: Sequence[Gathered], *, terms: IssueTerms
) -> list[PreparedDocument]:
    """Documents with their ids and what their accounts' credit pays of them, in their order."""
    if not gathered:
        return []
    surpluses = await _allocate_surpluses(tx, gathered)
    balances = await lock_credit(tx, [each.draft.account.id for each in gathered])
    changes = credit_changes(
        [
            (payer_of(each.draft), _creditable(each, surplus))
            for each, surplus in zip(gathered, surpluses, strict=True)
        ],
        balances,
    )
    return [
        prepare(
            each,
            new_id=InvoiceId(new_id()),
            terms=terms,
            credit_applied_minor=max(-change, 0),
            surplus=surplus,
        )
        for each, change, surplus in zip(gathered, changes, surpluses, strict=True)
    ]


def _creditable(gathered: Gathered, surplus: SurplusAllocation) -> int:
    """What account credit may pay of a document, or, negative, what the document leaves as credit."""
    if gathered.draft.purpose is DraftPurpose.GIVE_UP:
        return -surplus.to_balance_minor
    return max(gathered.totals.total_minor, -surplus.to_balance_minor)


async def _allocate_surpluses(tx: Tx, gathered: Sequence[Gathered]) -> Sequence[SurplusAllocation]:
    """Where the money of each document goes that gives back more than it charges."""
    negative = [each for each in gathered if each.totals.total_minor < 0]
    if not negative:
        return [NO_SURPLUS] * len(gathered)
    corrected = await corrected_invoices(
        tx, [charge_id for each in negative for charge_id in _corrected(each)]
    )
    due_minor: dict[UUID, int] = {}
    return [
        NO_SURPLUS
        if each.totals.total_minor >= 0
        else allocated_surplus(
            -each.totals.total_minor,
            list(
                {
                    corrected[one].id: corrected[one]
                    for one in _corrected(each)
                    if one in corrected
                }.values()
            ),
            surplus=each.draft.surplus,
            due_minor=due_minor,
        )
        for each in gathered
    ]


def _corrected(gathered: Gathered) -> list[UUID]:
    """The charges that a document's lines take back."""
    charges = (*(each.charge for each in gathered.pulled), *gathered.draft.charges)
    return [one.corrects_charge_id for one in charges if one.corrects_charge_id is not None]


async def issue_documents(
    tx: Tx, documents: Sequence[PreparedDocument], *, terms: IssueTerms
) -> tuple[IssuedInvoice, ...]:
    """Number and store documents whose own charges are stored, settle them with their accounts' credit
    and publish them. The series are locked last.
    """
    if not documents:
        return ()
    issuer = seller_party(terms.seller)
    await insert_parties(tx, [issuer, *(document.buyer for document in documents)])
    await place_pulled_charges(tx, documents)
    numbers = await take_numbers(
        tx,
        terms.seller,
        issued_on=terms.issued_on,
        kinds=[document.kind for document in documents],
    )
    await store_finalized(
        tx,
        documents,
        numbers=numbers,
        seller_party_id=issuer.id,
        zone=terms.seller.zone,
        issued_on=terms.issued_on,
    )
    await change_credit(tx, [change for each in documents if (change := _credit_change(each))])
    await _offset(tx, documents)
    return tuple(
        [
            _published(tx, document, number=number.text)
            for document, number in zip(documents, numbers, strict=True)
        ]
    )


async def _offset(tx: Tx, documents: Sequence[PreparedDocument]) -> None:
    amounts: dict[UUID, int] = {}
    for document in documents:
        for invoice_id, amount_minor in document.surplus.offsets:
            amounts[invoice_id] = amounts.get(invoice_id, 0) + amount_minor
    if not amounts:
        return
    for row in await offset_invoices(tx, amounts):
        if row["state"] == InvoiceState.PAID:
            tx.publish(
                InvoicePaid(
                    subject_id=row["id"],
                    account_id=row["account_id"],
                    number=row["number"],
                    currency=row["currency"],
                    total_minor=row["total_minor"],
                )
            )


def _credit_change(document: PreparedDocument) -> CreditChange | None:
    amount_minor = document.surplus.to_balance_minor - document.credit_applied_minor
    if not amount_minor:
        return None
    return CreditChange(
        account_id=document.draft.account.id,
        currency=document.draft.currency,
        kind=CreditEntryKind.CREDIT_NOTE if amount_minor > 0 else CreditEntryKind.APPLIED,
        amount_minor=amount_minor,
        invoice_id=document.id,
    )


def _published(tx: Tx, document: PreparedDocument, *, number: str) -> IssuedInvoice:
    account_id, currency = document.draft.account.id, document.draft.currency.code
    if document.kind is DocumentKind.CREDIT_NOTE or document.due_on is None:
        tx.publish(
            CreditNoteIssued(
                subject_id=document.id,
                account_id=account_id,
                number=number,
                currency=currency,
                total_minor=document.total_minor,
                corrects_invoice_id=document.surplus.corrects_invoice_id,
                to_balance_minor=document.surplus.to_balance_minor,
                to_refund_minor=document.surplus.to_refund_minor,
                to_invoice_minor=sum(amount for _, amount in document.surplus.offsets),
            )
        )
    else:
        tx.publish(
            InvoiceFinalized(
                subject_id=document.id,
                account_id=account_id,
                number=number,
                currency=currency,
                total_minor=document.total_minor,
                due_minor=document.due_minor,
                due_on=document.due_on,
            )
        )
        if document.state is InvoiceState.PAID:
            tx.publish(
                InvoicePaid(
                    subject_id=document.id,
                    account_id=account_id,
                    number=number,
                    currency=currency,
                    total_minor=document.total_minor,
                )
            )
    return IssuedInvoice(
        document.id,
        number,
        account_id,
        currency,
        document.total_minor,
        document.kind,
        document.due_minor,
    )
