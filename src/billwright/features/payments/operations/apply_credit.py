"""How does a person have an account's credit pay an invoice that is open already?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billwright.features.invoicing.errors import credit_insufficient, invoice_not_payable
from billwright.features.invoicing.model import Invoice, InvoiceState
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.invoicing.operations.pay_with_credit import pay_with_credit
from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.invoicing.sql.reads_credit import credit_balance
from billwright.features.payments.errors import payment_in_progress
from billwright.features.payments.rules.amount import refuse_unfit_amount
from billwright.features.payments.rules.application import is_collectable
from billwright.features.payments.sql.reads import live_attempt_of
from billwright.features.subscriptions.operations.activate_subscriptions import (
    activate_subscriptions,
)
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyCredit:
    """Pay an invoice with what its account has; without an `amount` as much as both allow."""

    invoice_id: UUID
    amount: Money | None = None


async def apply_credit(tx: Tx, command: ApplyCredit) -> Invoice:
    """What credit does to an invoice that is finalized, done to one that is open; the invoice as it
    stands then. Nobody pays twice: a payment under way comes first.

    Refuses: `invoice_unknown`, `invoice_not_payable`, `currency_mismatch`, `amount_not_positive`,
    `amount_above_due`, `credit_insufficient`, `payment_in_progress`.
    """
    invoice = await lock_invoice(tx, command.invoice_id)
    if not is_collectable(invoice):
        raise invoice_not_payable(invoice_id=invoice.id, state=invoice.state.value)
    due = Money(invoice.due_minor, invoice.currency)
    if command.amount is not None:
        refuse_unfit_amount(command.amount, invoice)
    balance = await credit_balance(tx, invoice.account_id, currency=invoice.currency)
    amount = min(due, balance) if command.amount is None else command.amount
    if not balance.amount_minor or amount > balance:
        raise credit_insufficient(balance=str(balance), amount=str(command.amount or due))
    if await live_attempt_of(tx, invoice.id) is not None:
        raise payment_in_progress(invoice_id=invoice.id)
    await pay_with_credit(tx, [(invoice, amount.amount_minor)])
    settled = await invoice_by_id(tx, invoice.id)
    if settled.state is InvoiceState.PAID:
        await activate_subscriptions(tx, invoice_ids=[invoice.id])
    return settled
