"""How does a seller give money of a payment back?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from billwright.features.invoicing.model import CreditChange, CreditEntryKind
from billwright.features.invoicing.operations.change_credit import change_credit
from billwright.features.invoicing.operations.credit_invoice import CreditInvoice, credit_invoice
from billwright.features.invoicing.rules.credit_allocation import Allocation
from billwright.features.invoicing.rules.gross_credit import gross_left
from billwright.features.invoicing.sql.reads_credit import (
    credit_balance,
    creditable_lines,
    refunded_minor,
)
from billwright.features.payments.errors import currency_mismatch
from billwright.features.refunds.errors import (
    nothing_to_refund,
    refund_above_left,
    refund_not_positive,
)
from billwright.features.refunds.model import Refund, RefundOrigin
from billwright.features.refunds.operations.lock_refund import LockedPayment, lock_payment
from billwright.features.refunds.operations.reserve_refunds import reserve_refunds
from billwright.features.refunds.rules.new_refund import new_refund
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx


class RefundSource(StrEnum):
    """Which part of a payment goes back: what was booked on its invoice, which a credit note then gives
    back too, or what found nothing due and became credit of the account.
    """

    INVOICE = "invoice"
    CREDIT = "credit"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPayment:
    """Return `amount` to the payer, or all that is left; `reason` is for the books and the provider."""

    payment_id: UUID
    reason: str
    amount: Money | None = None
    source: RefundSource = RefundSource.INVOICE


async def refund_payment(tx: Tx, command: RefundPayment) -> Refund:
    """Reserve money to go back, together with what the books say about it: a credit note on the invoice
    of exactly that total, or so much less credit of the account. Once this is committed,
    `execute_refund` asks the provider; should nobody come to that, the worker does.

    Refuses: `payment_unknown`, `currency_mismatch`, `refund_not_positive`, `nothing_to_refund`,
    `refund_above_left`, and what `credit_invoice` refuses.
    """
    locked = await lock_payment(tx, command.payment_id)
    amount = _checked(command, locked=locked, left_minor=await _left(tx, command, locked=locked))
    credit_note_id = None
    if command.source is RefundSource.INVOICE:
        credit_note_id = await _credit(tx, command, amount=amount, locked=locked)
    else:
        await _withdraw(tx, command, amount=amount, locked=locked)
    refund = new_refund(
        locked.payment.id,
        account_id=locked.payment.account_id,
        provider=locked.payment.provider,
        amount=amount,
        origin=RefundOrigin.REQUESTED,
        credit_note_id=credit_note_id,
        reason=command.reason,
        machine_now=tx.machine_now,
    )
    await reserve_refunds(tx, [refund])
    tx.audit(
        "payment.refund",
        subject_type="payment",
        subject_id=locked.payment.id,
        details={**_details(command), "refund_id": refund.id},
    )
    return refund


def _details(command: RefundPayment) -> dict[str, object]:
    asked = command.amount
    return {
        "source": command.source,
        "amount_minor": asked and asked.amount_minor,
        "currency": asked and asked.currency.code,
        "reason": command.reason,
    }


async def _left(tx: Tx, command: RefundPayment, *, locked: LockedPayment) -> int:
    """What can go back, in minor units: no more than the payment has left, and than the invoice or the
    credit of the account has.
    """
    money, invoice = locked.own_money, locked.invoice
    if money is None:
        return 0
    if command.source is RefundSource.CREDIT:
        balance = await credit_balance(tx, invoice.account_id, currency=invoice.currency)
        return min(money.unapplied_left_minor, balance.amount_minor)
    kept_minor = max(invoice.paid_minor - await refunded_minor(tx, invoice.id), 0)
    lines = await creditable_lines(tx, invoice.id)
    return min(money.applied_left_minor, kept_minor, gross_left(lines, currency=invoice.currency))


def _checked(command: RefundPayment, *, locked: LockedPayment, left_minor: int) -> Money:
    currency, asked = locked.invoice.currency, command.amount
    if asked is not None and asked.currency != currency:
        raise currency_mismatch(
            pointer="/amount/currency",
            currency=asked.currency.code,
            invoice_currency=currency.code,
        )
    if asked is not None and asked.amount_minor <= 0:
        raise refund_not_positive(pointer="/amount/amount", amount=str(asked))
    if not left_minor:
        raise nothing_to_refund(payment_id=locked.payment.id)
    left = Money(left_minor, currency)
    if asked is not None and asked > left:
        raise refund_above_left(pointer="/amount/amount", amount=str(asked), left=str(left))
    return asked or left


async def _credit(tx: Tx, command: RefundPayment, *, amount: Money, locked: LockedPayment) -> UUID:
    note = await credit_invoice(
        tx,
        CreditInvoice(
            invoice_id=locked.invoice.id,
            reason=command.reason,
            gross_minor=amount.amount_minor,
            allocation=Allocation(to_refund_minor=amount.amount_minor),
        ),
    )
    return note.id


async def _withdraw(
    tx: Tx, command: RefundPayment, *, amount: Money, locked: LockedPayment
) -> None:
    change = CreditChange(
        account_id=locked.payment.account_id,
        currency=amount.currency,
        kind=CreditEntryKind.WITHDRAWN,
        amount_minor=-amount.amount_minor,
        invoice_id=locked.invoice.id,
        reason=command.reason,
    )
    await change_credit(tx, [change])
