"""How is a payment reserved before its provider is asked?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from billwright.features.invoicing.errors import invoice_not_payable, invoice_reference_unknown
from billwright.features.invoicing.model import Invoice
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.payments.errors import (
    amount_above_due,
    amount_not_positive,
    currency_mismatch,
    payment_in_progress,
    provider_unknown,
)
from billwright.features.payments.model import (
    Attempt,
    AttemptId,
    AttemptState,
    Payment,
    PaymentId,
    PaymentMethod,
    PaymentState,
)
from billwright.features.payments.port import PaymentProviders, Reservation
from billwright.features.payments.rules.application import PAYABLE_STATES
from billwright.features.payments.rules.next_check import next_check_at
from billwright.features.payments.sql.reads import has_live_attempt, reservations
from billwright.features.payments.sql.writes import insert_attempt, insert_payment
from billwright.kernel.ids import new_id
from billwright.kernel.money import Money
from billwright.kernel.refusal import Category, Refusal
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPayment:
    """Pay an invoice, wholly or in part, through a provider.

    `reference` is what the payer wrote, `received_on` the day on which the money was seen, where a
    person reports it.
    """

    invoice_id: UUID
    amount: Money
    provider: str
    method: PaymentMethod
    reference: str = ""
    received_on: date | None = None


async def start_payment(
    tx: Tx, command: StartPayment, *, providers: PaymentProviders
) -> Reservation:
    """Reserve a payment with its first attempt. Once this is committed, `collect_payment` asks the
    provider; should nobody come to that, the worker does.

    Refuses: `provider_unknown`, `invoice_unknown_here`, `invoice_not_payable`,
    `payment_in_progress`, `currency_mismatch`, `amount_not_positive`, `amount_above_due`.
    """
    if command.provider not in providers:
        raise provider_unknown(
            pointer="/provider", provider=command.provider, providers=", ".join(sorted(providers))
        )
    # Before the lock, which moves the transaction to the time of the account's test clock.
    machine_now = tx.now
    invoice = await _lock(tx, command.invoice_id)
    if invoice.state not in PAYABLE_STATES:
        raise invoice_not_payable(invoice_id=invoice.id, state=invoice.state.value)
    if await has_live_attempt(tx, invoice.id):
        raise payment_in_progress(invoice_id=invoice.id)
    _check_amount(command.amount, invoice)
    attempt = await _insert(tx, command, invoice=invoice, machine_now=machine_now)
    tx.audit(
        "payment.start", subject_type="payment", subject_id=attempt.payment_id, details=command
    )
    return (await reservations(tx, [attempt.id]))[0]


async def _lock(tx: Tx, invoice_id: UUID) -> Invoice:
    try:
        return await lock_invoice(tx, invoice_id)
    except Refusal as refusal:
        if refusal.category is not Category.NOT_FOUND:
            raise
        raise invoice_reference_unknown(pointer="/invoice_id", invoice_id=invoice_id) from None


def _check_amount(amount: Money, invoice: Invoice) -> None:
    if amount.currency != invoice.currency:
        raise currency_mismatch(
            pointer="/amount/currency",
            currency=amount.currency.code,
            invoice_currency=invoice.currency.code,
        )
    if amount.amount_minor <= 0:
        raise amount_not_positive(pointer="/amount/amount", amount=str(amount))
    due = Money(invoice.due_minor, invoice.currency)
    if amount > due:
        raise amount_above_due(pointer="/amount/amount", amount=str(amount), due=str(due))


async def _insert(
    tx: Tx, command: StartPayment, *, invoice: Invoice, machine_now: datetime
) -> Attempt:
    payment = Payment(
        id=PaymentId(new_id()),
        account_id=invoice.account_id,
        invoice_id=invoice.id,
        provider=command.provider,
        method=command.method,
        state=PaymentState.PENDING,
        amount=command.amount,
        reference=command.reference,
        received_on=command.received_on,
        unapplied_minor=0,
        version=1,
        created_at=tx.now,
        updated_at=tx.now,
    )
    attempt_id = new_id()
    attempt = Attempt(
        id=AttemptId(attempt_id),
        payment_id=payment.id,
        invoice_id=invoice.id,
        state=AttemptState.CREATED,
        provider=command.provider,
        provider_key=f"attempt:{attempt_id}",
        provider_reference=None,
        failure_code=None,
        next_check_at=next_check_at(machine_now, now=machine_now),
        created_at=machine_now,
        updated_at=machine_now,
    )
    await insert_payment(tx, payment)
    await insert_attempt(tx, attempt)
    return attempt
