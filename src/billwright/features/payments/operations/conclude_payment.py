"""What becomes of the invoice, the account and the books when a payment has come to an end?"""

from __future__ import annotations

from dataclasses import replace

from billwright.features.invoicing.model import (
    CreditChange,
    CreditEntryKind,
    Invoice,
    InvoiceState,
)
from billwright.features.invoicing.operations.change_credit import change_credit
from billwright.features.invoicing.operations.collect_invoices import reschedule_collection
from billwright.features.invoicing.operations.settle_invoice import settle_invoice
from billwright.features.payment_methods.operations.set_chargeable import set_chargeable
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payments.events import PaymentCanceled, PaymentFailed, PaymentSucceeded
from billwright.features.payments.model import (
    Attempt,
    NewReviewTask,
    Payment,
    PaymentState,
    ReviewKind,
)
from billwright.features.payments.operations.open_review_task import open_review_task
from billwright.features.payments.rules.application import applicable_minor, is_overdue, is_settled
from billwright.features.payments.rules.decline import spends_method
from billwright.features.payments.sql.writes import update_payment
from billwright.features.subscriptions.operations.activate_subscriptions import (
    activate_subscriptions,
)
from billwright.kernel.calendar import local_date
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx


async def conclude_payment(
    tx: Tx, payment: Payment, *, attempt: Attempt, invoice: Invoice
) -> Payment:
    """Book what has come of a payment whose new state is known, or note that nothing has; its invoice
    is locked. No minor unit is lost: what finds nothing due is credit of the account.
    """
    payment = replace(payment, version=payment.version + 1, updated_at=tx.now)
    match payment.state:
        case PaymentState.SUCCEEDED:
            payment = await _book(tx, payment, invoice=invoice)
            await _report(tx, payment, attempt=attempt, invoice=invoice)
            tx.publish(_succeeded(tx, payment, invoice=invoice))
        case PaymentState.CANCELED:
            tx.publish(_canceled(payment))
        case _:
            await _give_up(tx, payment, attempt=attempt, invoice=invoice)
            tx.publish(_failed(payment, attempt, invoice=invoice))
    await update_payment(tx, payment)
    return payment


async def _book(tx: Tx, payment: Payment, *, invoice: Invoice) -> Payment:
    applied_minor = applicable_minor(payment.captured_minor, invoice)
    unapplied_minor = payment.captured_minor - applied_minor
    if applied_minor:
        settled = await settle_invoice(tx, invoice, amount_minor=applied_minor)
        if settled.state is InvoiceState.PAID:
            await activate_subscriptions(tx, invoice_ids=[invoice.id])
    if unapplied_minor:
        change = CreditChange(
            account_id=payment.account_id,
            currency=payment.amount.currency,
            kind=CreditEntryKind.OVERPAYMENT,
            amount_minor=unapplied_minor,
            invoice_id=invoice.id,
        )
        await change_credit(tx, [change])
    return replace(payment, unapplied_minor=unapplied_minor)


async def _report(tx: Tx, payment: Payment, *, attempt: Attempt, invoice: Invoice) -> None:
    """Show a person what is not as it should be; the money is booked all the same."""
    asked, currency = payment.amount, payment.amount.currency
    captured = Money(payment.captured_minor, currency)
    details = {
        "invoice_number": invoice.number,
        "asked": str(asked),
        "captured": str(captured),
        "credited": str(Money(payment.unapplied_minor, currency)),
    }
    kinds = []
    if captured != asked:
        kinds.append(ReviewKind.AMOUNT_DIFFERS)
    if is_settled(invoice):
        kinds.append(ReviewKind.LATE_PAYMENT)
    for kind in kinds:
        await open_review_task(
            tx,
            NewReviewTask(
                kind=kind,
                subject_type="payment",
                subject_id=payment.id,
                account_id=payment.account_id,
                details=details,
                dedup_key=f"{kind.value}:{attempt.id}",
            ),
        )


async def _give_up(tx: Tx, payment: Payment, *, attempt: Attempt, invoice: Invoice) -> None:
    if attempt.state is not AttemptState.DECLINED:
        return
    if payment.saved_method_id is not None and spends_method(attempt):
        await set_chargeable(tx, payment.saved_method_id, is_chargeable=False)
    if invoice.collect_at is not None and is_overdue(invoice, now=tx.now):
        # From here on, whoever chases unpaid invoices says when it is tried again.
        await reschedule_collection(tx, {invoice.id: None})


def _succeeded(tx: Tx, payment: Payment, *, invoice: Invoice) -> PaymentSucceeded:
    return PaymentSucceeded(
        subject_id=payment.id,
        account_id=payment.account_id,
        invoice_id=invoice.id,
        invoice_number=invoice.number or "",
        origin=payment.origin.value,
        provider=payment.provider,
        method=payment.method.value,
        currency=payment.amount.currency.code,
        amount_minor=payment.captured_minor,
        asked_minor=payment.amount.amount_minor,
        unapplied_minor=payment.unapplied_minor,
        paid_on=payment.received_on or local_date(tx.now, invoice.zone),
    )


def _failed(payment: Payment, attempt: Attempt, *, invoice: Invoice) -> PaymentFailed:
    return PaymentFailed(
        subject_id=payment.id,
        account_id=payment.account_id,
        invoice_id=invoice.id,
        invoice_number=invoice.number or "",
        origin=payment.origin.value,
        provider=payment.provider,
        currency=payment.amount.currency.code,
        amount_minor=payment.amount.amount_minor,
        reason=attempt.state.value,
        decline=attempt.decline.value if attempt.decline else None,
        failure_code=attempt.failure_code,
    )


def _canceled(payment: Payment) -> PaymentCanceled:
    return PaymentCanceled(
        subject_id=payment.id,
        account_id=payment.account_id,
        invoice_id=payment.invoice_id,
        origin=payment.origin.value,
        provider=payment.provider,
        currency=payment.amount.currency.code,
        amount_minor=payment.amount.amount_minor,
    )
