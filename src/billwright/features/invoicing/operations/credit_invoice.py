"""How does a seller give back what an invoice charged?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from billwright.features.accounts.errors import account_closed
from billwright.features.accounts.model import AccountStatus
from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.invoicing.errors import (
    credit_ambiguous,
    invoice_currency_differs,
    invoice_not_creditable,
)
from billwright.features.invoicing.events import CreditNoteIssued, InvoicePaid
from billwright.features.invoicing.model import (
    CreditChange,
    CreditEntryKind,
    DocumentKind,
    Invoice,
    InvoiceId,
    InvoiceState,
)
from billwright.features.invoicing.operations.change_credit import change_credit
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.invoicing.rules.credit_allocation import Allocation, allocated
from billwright.features.invoicing.rules.credit_note import (
    Credit,
    CreditableLine,
    CreditLine,
    credit_tax,
    everything_left,
    of_lines,
    spread_over_lines,
)
from billwright.features.invoicing.rules.credit_note_document import CreditNote
from billwright.features.invoicing.rules.gross_credit import of_gross
from billwright.features.invoicing.rules.lifecycle import INVOICE_LIFECYCLE, InvoiceAction
from billwright.features.invoicing.rules.settlement import settlement_state
from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.invoicing.sql.reads_credit import creditable_lines, refunded_minor
from billwright.features.invoicing.sql.writes_documents import (
    insert_note,
    insert_note_lines,
    set_outcome,
    take_from_lines,
)
from billwright.features.invoicing.sql.writes_numbers import take_numbers
from billwright.features.tax.rules.document_tax import DocumentTax
from billwright.features.tenancy.sql.reads import the_seller
from billwright.kernel.calendar import local_date
from billwright.kernel.currency import Currency
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditInvoice:
    """Give back single `lines`, or `amount_minor` shared over all lines, or `gross_minor` with its tax,
    or (with none of them) all that is left.

    Amounts are in the terms of the lines: without tax, or with it where prices contain it. Only
    `gross_minor` is what the note comes to.
    `currencies` are those in which the amounts were said, if they were. `reason` is for the books,
    `note` is printed. Without an `allocation`, what is still due is offset
    first, and the rest becomes credit of the account.
    """

    invoice_id: UUID
    reason: str
    lines: tuple[CreditLine, ...] = ()
    amount_minor: int | None = None
    gross_minor: int | None = None
    currencies: frozenset[str] = frozenset()
    note: str = ""
    allocation: Allocation | None = None


async def credit_invoice(tx: Tx, command: CreditInvoice) -> Invoice:
    """Issue a credit note on a finalized invoice, and return the note.

    A refund is promised by it, and executed by whoever moves money.

    Refuses: `invoice_unknown`, `state_forbids`, `invoice_not_creditable`,
    `invoice_currency_differs`, `credit_ambiguous`, `credit_line_unknown`, `credit_line_repeated`,
    `credit_not_positive`, `credit_too_large`, `nothing_to_credit`, `allocation_negative`,
    `allocation_differs`, `credit_above_due`, `refund_above_paid`, and `account_closed` where credit
    would be left with an account that nothing takes it from any more.
    """
    invoice = await lock_invoice(tx, command.invoice_id)
    if invoice.kind is DocumentKind.CREDIT_NOTE:
        raise invoice_not_creditable(invoice_id=invoice.id)
    INVOICE_LIFECYCLE.next(invoice.state, InvoiceAction.CREDIT)
    for currency in command.currencies - {invoice.currency.code}:
        raise invoice_currency_differs(invoice_currency=invoice.currency.code, currency=currency)
    lines = await creditable_lines(tx, invoice.id)
    given, tax = _credits(command, lines, currency=invoice.currency)
    allocation = allocated(
        command.allocation,
        total_minor=-sum(tax.line_net_minor) - tax.total_minor,
        due_minor=invoice.due_minor,
        refundable_minor=invoice.paid_minor - await refunded_minor(tx, invoice.id),
        currency=invoice.currency,
    )
    if allocation.to_balance_minor:
        await _refuse_closed(tx, invoice.account_id)
    seller = await the_seller(tx)
    note = CreditNote(
        id=InvoiceId(new_id()),
        invoice=invoice,
        credits=given,
        tax=tax,
        allocation=allocation,
        issued_on=local_date(tx.now, seller.zone),
        reason=command.reason,
        note=command.note,
    )
    await _store_lines(tx, note)
    # The series is locked as late as possible: everybody waits for it.
    (number,) = await take_numbers(
        tx, seller, issued_on=note.issued_on, kinds=[DocumentKind.CREDIT_NOTE]
    )
    await insert_note(tx, note, number=number)
    await _book(tx, note)
    issued = await invoice_by_id(tx, note.id)
    _publish(tx, note, number=issued.number or "")
    tx.audit("invoice.credit", subject_type="invoice", subject_id=invoice.id, details=command)
    return await invoice_by_id(tx, note.id)


async def _refuse_closed(tx: Tx, account_id: UUID) -> None:
    if (await account_by_id(tx, account_id)).status is AccountStatus.CLOSED:
        raise account_closed(account_id=account_id)


def _credits(
    command: CreditInvoice, lines: Sequence[CreditableLine], *, currency: Currency
) -> tuple[tuple[Credit, ...], DocumentTax]:
    wanted = (command.lines or None, command.amount_minor, command.gross_minor)
    if sum(each is not None for each in wanted) > 1:
        raise credit_ambiguous(pointer="/amount")
    if command.gross_minor is not None:
        return of_gross(lines, gross_minor=command.gross_minor, currency=currency)
    if command.lines:
        given = of_lines(lines, command.lines, currency=currency)
    elif command.amount_minor is not None:
        given = spread_over_lines(lines, amount_minor=command.amount_minor, currency=currency)
    else:
        given = everything_left(lines, currency=currency)
    return given, credit_tax(lines, given, currency=currency)


async def _store_lines(tx: Tx, note: CreditNote) -> None:
    await insert_note_lines(tx, note)
    await take_from_lines(tx, note.credits)
    if note.allocation.to_invoice_minor:
        await set_outcome(tx, _offset(tx, note))


def _offset(tx: Tx, note: CreditNote) -> Invoice:
    """The invoice when the note has made less due; what the seller gave up stays given up."""
    invoice = note.invoice
    due_minor = invoice.due_minor - note.allocation.to_invoice_minor
    state = settlement_state(due_minor=due_minor, total_minor=invoice.total_minor)
    if invoice.state is InvoiceState.UNCOLLECTIBLE and due_minor:
        state = invoice.state
    return replace(
        invoice,
        credited_minor=invoice.credited_minor + note.allocation.to_invoice_minor,
        due_minor=due_minor,
        state=state,
        paid_at=None if due_minor else tx.now,
    )


async def _book(tx: Tx, note: CreditNote) -> None:
    invoice = note.invoice
    if not note.allocation.to_balance_minor:
        return
    change = CreditChange(
        account_id=invoice.account_id,
        currency=invoice.currency,
        kind=CreditEntryKind.CREDIT_NOTE,
        amount_minor=note.allocation.to_balance_minor,
        invoice_id=note.id,
        reason=note.reason,
    )
    await change_credit(tx, [change])


def _publish(tx: Tx, note: CreditNote, *, number: str) -> None:
    invoice, allocation = note.invoice, note.allocation
    currency = invoice.currency.code
    tx.publish(
        CreditNoteIssued(
            subject_id=note.id,
            account_id=invoice.account_id,
            number=number,
            currency=currency,
            total_minor=note.total_minor,
            corrects_invoice_id=invoice.id,
            to_balance_minor=allocation.to_balance_minor,
            to_refund_minor=allocation.to_refund_minor,
            to_invoice_minor=allocation.to_invoice_minor,
        )
    )
    if allocation.to_invoice_minor and allocation.to_invoice_minor == invoice.due_minor:
        tx.publish(
            InvoicePaid(
                subject_id=invoice.id,
                account_id=invoice.account_id,
                number=invoice.number or "",
                currency=currency,
                total_minor=invoice.total_minor,
            )
        )
