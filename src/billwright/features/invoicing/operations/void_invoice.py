"""How is an invoice withdrawn that should not have been sent?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from billwright.features.invoicing.errors import invoice_not_voidable
from billwright.features.invoicing.events import InvoiceVoided
from billwright.features.invoicing.model import (
    ChargeKind,
    CreditChange,
    CreditEntryKind,
    Invoice,
    InvoiceState,
    LiveCharge,
)
from billwright.features.invoicing.operations.change_credit import change_credit
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.invoicing.rules.lifecycle import INVOICE_LIFECYCLE, InvoiceAction
from billwright.features.invoicing.rules.service_time import service_time
from billwright.features.invoicing.sql.reads import charges_of_invoice
from billwright.features.invoicing.sql.writes_charges import insert_charges, restore_corrected
from billwright.features.invoicing.sql.writes_documents import reverse_lines, set_outcome
from billwright.features.promotions.operations.return_discounts import return_discounts
from billwright.features.promotions.rules.returns import ReturnedDiscount
from billwright.runtime.db.tx import Tx


class GivenBack(StrEnum):
    """What becomes of what the lines of a void invoice gave back of other charges: it stays given and
    waits for the next document; or what it was given for is undone, and it was never given.
    """

    STAYS = "stays"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidInvoice:
    """Withdraw an invoice on which no money has come; `reason` is for the books."""

    invoice_id: UUID
    reason: str
    given_back: GivenBack = GivenBack.STAYS


async def void_invoice(tx: Tx, command: VoidInvoice) -> Invoice:
    """Nothing is owed by it any more, and what it charged may be charged again. It keeps its number.

    Account credit that it took returns to the account, and discounts to their promotions. What its lines
    gave back of other charges stays given and waits for the next document, unless the command says that
    it is undone; then whoever undoes it restores the promotions too. A void invoice stays as it is.

    Refuses: `invoice_unknown`, `state_forbids`, `invoice_not_voidable`.
    """
    invoice = await lock_invoice(tx, command.invoice_id)
    if invoice.state is InvoiceState.VOID:
        return invoice
    state = INVOICE_LIFECYCLE.next(invoice.state, InvoiceAction.VOID)
    charges = await charges_of_invoice(tx, invoice.id)
    _refuse_what_has_moved_on(invoice, charges)
    voided = replace(
        invoice,
        state=state,
        credit_applied_minor=0,
        due_minor=0,
        collect_at=None,
        voided_at=tx.now,
        reason=command.reason,
        version=invoice.version + 1,
        updated_at=tx.now,
    )
    await set_outcome(tx, voided, reason=command.reason)
    await reverse_lines(tx, invoice.id)
    if command.given_back is GivenBack.UNDONE:
        await restore_corrected(tx, invoice.id)
    else:
        await _keep_corrections(tx, invoice, charges=charges)
        await return_discounts(tx, list(_discounts(charges)))
    await _return_credit(tx, invoice, reason=command.reason)
    tx.publish(
        InvoiceVoided(
            subject_id=invoice.id,
            account_id=invoice.account_id,
            number=invoice.number or "",
            currency=invoice.currency.code,
            total_minor=invoice.total_minor,
            reason=command.reason,
        )
    )
    tx.audit("invoice.void", subject_type="invoice", subject_id=invoice.id, details=command)
    return voided


def _refuse_what_has_moved_on(invoice: Invoice, charges: Sequence[LiveCharge]) -> None:
    if invoice.paid_minor:
        raise invoice_not_voidable(invoice_id=invoice.id, reason="money has come for it")
    if any(each.credited_minor or each.reversed_from is not None for each in charges):
        raise invoice_not_voidable(invoice_id=invoice.id, reason="a part of it was given back")


async def _keep_corrections(tx: Tx, invoice: Invoice, *, charges: Sequence[LiveCharge]) -> None:
    corrections = [
        replace(each.charge, kind=ChargeKind.CREDIT, discounts=())
        for each in charges
        if each.charge.corrects_charge_id is not None
    ]
    if corrections:
        payer = invoice.account_id, invoice.currency.code
        await insert_charges(tx, [], waiting={payer: corrections})


def _discounts(charges: Sequence[LiveCharge]) -> Iterator[ReturnedDiscount]:
    for each in charges:
        if each.charge.corrects_charge_id is not None:
            continue
        start, end = service_time(each.charge)
        for redemption_id, amount_minor in each.charge.discounts:
            yield ReturnedDiscount(
                redemption_id=redemption_id,
                amount_minor=amount_minor,
                listed_minor=each.listed_minor,
                service_start=start,
                service_end=end,
            )


async def _return_credit(tx: Tx, invoice: Invoice, *, reason: str) -> None:
    if not invoice.credit_applied_minor:
        return
    change = CreditChange(
        account_id=invoice.account_id,
        currency=invoice.currency,
        kind=CreditEntryKind.RETURNED,
        amount_minor=invoice.credit_applied_minor,
        invoice_id=invoice.id,
        reason=reason,
    )
    await change_credit(tx, [change])
