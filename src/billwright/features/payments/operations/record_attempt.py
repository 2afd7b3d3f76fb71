"""What does a provider's answer do?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from billwright.features.invoicing.model import Invoice, InvoiceState
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.invoicing.operations.settle_invoice import settle_invoice
from billwright.features.payments.events import PaymentFailed, PaymentSucceeded
from billwright.features.payments.model import Attempt, Payment, PaymentState
from billwright.features.payments.port import ProviderAnswer
from billwright.features.payments.rules.application import applicable_minor
from billwright.features.payments.rules.attempt_rank import payment_state_of, supersedes
from billwright.features.payments.sql.reads import attempt_by_id, payment_by_id
from billwright.features.payments.sql.writes import update_attempt, update_payment
from billwright.features.subscriptions.operations.activate_subscriptions import (
    activate_subscriptions,
)
from billwright.kernel.calendar import local_date
from billwright.runtime.db.tx import Tx


async def record_attempt(tx: Tx, *, attempt_id: UUID, answer: ProviderAnswer) -> Payment:
    """Store an answer and book the money that it reports; the payment as it stands then.

    An answer that says no more than what is known changes nothing, so that the same one may come
    any number of times, in any order, to any number of workers.
    """
    machine_now = tx.now
    invoice = await lock_invoice(tx, (await attempt_by_id(tx, attempt_id)).invoice_id)
    attempt = await attempt_by_id(tx, attempt_id)  # again, now that the invoice is locked
    payment = await payment_by_id(tx, attempt.payment_id)
    if not supersedes(answer.state, known=attempt.state):
        return payment
    state = payment_state_of(answer.state)
    answered = replace(
        attempt,
        state=answer.state,
        provider_reference=answer.provider_reference or attempt.provider_reference,
        failure_code=answer.failure_code,
        next_check_at=attempt.next_check_at if state is PaymentState.PENDING else None,
        updated_at=machine_now,
    )
    await update_attempt(tx, answered)
    tx.audit(
        "payment.record",
        subject_type="payment",
        subject_id=payment.id,
        details={"attempt_id": attempt.id, "from": attempt.state, "to": answered.state},
    )
    if state is payment.state:
        return payment
    return await _conclude(tx, replace(payment, state=state), attempt=answered, invoice=invoice)


async def _conclude(tx: Tx, payment: Payment, *, attempt: Attempt, invoice: Invoice) -> Payment:
    unapplied_minor = 0
    if payment.state is PaymentState.SUCCEEDED:
        applied_minor = applicable_minor(payment.amount.amount_minor, invoice)
        unapplied_minor = payment.amount.amount_minor - applied_minor
        if applied_minor:
            settled = await settle_invoice(tx, invoice, amount_minor=applied_minor)
            if settled.state is InvoiceState.PAID:
                await activate_subscriptions(tx, invoice_id=invoice.id)
    payment = replace(
        payment,
        unapplied_minor=unapplied_minor,
        version=payment.version + 1,
        updated_at=tx.now,
    )
    await update_payment(tx, payment)
    tx.publish(
        _succeeded(payment, invoice, paid_at=tx.now)
        if payment.state is PaymentState.SUCCEEDED
        else _failed(payment, attempt, invoice=invoice)
    )
    return payment


def _succeeded(payment: Payment, invoice: Invoice, *, paid_at: datetime) -> PaymentSucceeded:
    return PaymentSucceeded(
        subject_id=payment.id,
        account_id=payment.account_id,
        invoice_id=invoice.id,
        invoice_number=invoice.number or "",
        provider=payment.provider,
        method=payment.method,
        currency=payment.amount.currency.code,
        amount_minor=payment.amount.amount_minor,
        unapplied_minor=payment.unapplied_minor,
        paid_on=payment.received_on or local_date(paid_at, invoice.zone),
    )


def _failed(payment: Payment, attempt: Attempt, *, invoice: Invoice) -> PaymentFailed:
    return PaymentFailed(
        subject_id=payment.id,
        account_id=payment.account_id,
        invoice_id=invoice.id,
        invoice_number=invoice.number or "",
        provider=payment.provider,
        currency=payment.amount.currency.code,
        amount_minor=payment.amount.amount_minor,
        reason=attempt.state,
        failure_code=attempt.failure_code,
    )
