"""What does a provider's answer do?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from billwright.features.invoicing.model import Invoice
from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.payment_methods.operations.store_method import store_method
from billwright.features.payment_providers.model import AttemptState, Decline, PaymentMethod
from billwright.features.payment_providers.port import CHECKOUT_EXPIRED, ProviderAnswer
from billwright.features.payments.events import PaymentActionRequired, PaymentProcessing
from billwright.features.payments.model import (
    Attempt,
    Channel,
    NewReviewTask,
    Payment,
    PaymentState,
    ReviewKind,
)
from billwright.features.payments.operations.conclude_payment import conclude_payment
from billwright.features.payments.operations.open_review_task import open_review_task
from billwright.features.payments.operations.page_urls import sealed_url
from billwright.features.payments.rules.attempt_rank import payment_state_of, supersedes
from billwright.features.payments.sql.reads import attempt_by_id, payment_by_id
from billwright.features.payments.sql.writes import update_attempt, update_payment
from billwright.runtime.db.tx import Tx
from billwright.runtime.secrets import SecretBox

# Less than a day, after which providers give up on a payment that nobody has confirmed.
_CONFIRMABLE_FOR = timedelta(hours=23)


async def record_attempt(
    tx: Tx, *, attempt_id: UUID, answer: ProviderAnswer, box: SecretBox
) -> Payment:
    """Store an answer and book the money that it reports; the payment as it stands then.

    An answer that says no more than what is known changes nothing, so that the same one may come
    any number of times, in any order, to any number of workers.
    """
    invoice = await lock_invoice(tx, (await attempt_by_id(tx, attempt_id)).invoice_id)
    attempt = await attempt_by_id(tx, attempt_id)  # again, now that the invoice is locked
    payment = await payment_by_id(tx, attempt.payment_id)
    payment = await _with_saved_method(tx, payment, attempt=attempt, answer=answer, box=box)
    answer = await _understood(tx, payment, attempt=attempt, answer=answer)
    if not supersedes(answer.state, known=attempt.state):
        return payment
    answered = _answered(tx, attempt, answer=answer, box=box)
    await update_attempt(tx, answered)
    tx.audit(
        "payment.record",
        subject_type="payment",
        subject_id=payment.id,
        details={"attempt_id": attempt.id, "from": attempt.state, "to": answered.state},
    )
    state = payment_state_of(answered)
    if state is payment.state:
        _tell_what_is_under_way(tx, payment, attempt=answered, invoice=invoice)
        return payment
    captured = answer.amount or payment.amount
    return await conclude_payment(
        tx,
        replace(
            payment,
            state=state,
            captured_minor=captured.amount_minor if state is PaymentState.SUCCEEDED else 0,
        ),
        attempt=answered,
        invoice=invoice,
    )


async def _with_saved_method(
    tx: Tx, payment: Payment, *, attempt: Attempt, answer: ProviderAnswer, box: SecretBox
) -> Payment:
    """Keep the method that the payer left while paying; an answer that comes twice leaves one."""
    if answer.saved_method is None or not attempt.saves_method:
        return payment
    method_id = await store_method(
        tx,
        account_id=payment.account_id,
        provider=payment.provider,
        method=answer.saved_method,
        consent=f"page of {payment.provider} for the payment {payment.id}",
        box=box,
    )
    if payment.saved_method_id is not None:
        return payment
    kind = PaymentMethod(answer.saved_method.kind.value)
    saved = replace(payment, saved_method_id=method_id, method=kind)
    await update_payment(tx, saved)
    return saved


async def _understood(
    tx: Tx, payment: Payment, *, attempt: Attempt, answer: ProviderAnswer
) -> ProviderAnswer:
    """What an answer means for this attempt.

    A page that nobody has paid on was not declined; and money in another currency is nothing that can
    be booked, so that it is not known what became of the payment until a person has looked.
    """
    if answer.state is AttemptState.DECLINED and attempt.channel is Channel.PAGE:
        if answer.failure_code == CHECKOUT_EXPIRED:
            return replace(answer, state=AttemptState.NOT_ATTEMPTED, decline=None)
        # The payer chose how to pay, and may choose again: that says nothing for good.
        return replace(answer, decline=Decline.SOFT)
    amount = answer.amount
    if answer.state is not AttemptState.SUCCEEDED or amount is None:
        return answer
    if amount.currency == payment.amount.currency:
        return answer
    await open_review_task(
        tx,
        NewReviewTask(
            kind=ReviewKind.AMOUNT_DIFFERS,
            subject_type="payment",
            subject_id=payment.id,
            account_id=payment.account_id,
            details={"asked": str(payment.amount), "captured": str(amount)},
            dedup_key=f"amount_differs:{attempt.id}",
        ),
    )
    return replace(answer, state=AttemptState.UNKNOWN, amount=None)


def _answered(tx: Tx, attempt: Attempt, *, answer: ProviderAnswer, box: SecretBox) -> Attempt:
    """The attempt as it stands with an answer that says more than what was known."""
    waits = answer.state is AttemptState.REQUIRES_ACTION
    is_declined = answer.state is AttemptState.DECLINED
    answered = replace(
        attempt,
        state=answer.state,
        provider_reference=answer.provider_reference or attempt.provider_reference,
        failure_code=answer.failure_code,
        decline=(answer.decline or Decline.SOFT) if is_declined else None,
        page_url_sealed=None,
        updated_at=tx.machine_now,
    )
    if waits:
        answered = _waiting(tx, answered, url=answer.action_url, box=box)
    if payment_state_of(answered) is not PaymentState.PENDING:
        answered = replace(answered, next_check_at=None)
    return answered


def _waiting(tx: Tx, attempt: Attempt, *, url: str | None, box: SecretBox) -> Attempt:
    sealed = None
    if url is not None:
        sealed = sealed_url(box, url, tenant_id=tx.tenant_id, attempt_id=attempt.id)
    is_page = attempt.channel is Channel.PAGE
    return replace(
        attempt,
        page_reference=attempt.provider_reference if is_page else None,
        page_url_sealed=sealed,
        page_expires_at=attempt.page_expires_at or tx.machine_now + _CONFIRMABLE_FOR,
    )


def _tell_what_is_under_way(
    tx: Tx, payment: Payment, *, attempt: Attempt, invoice: Invoice
) -> None:
    facts: dict[str, Any] = {
        "subject_id": payment.id,
        "account_id": payment.account_id,
        "invoice_id": invoice.id,
        "origin": payment.origin.value,
        "provider": payment.provider,
        "currency": payment.amount.currency.code,
        "amount_minor": payment.amount.amount_minor,
    }
    if attempt.state is AttemptState.PROCESSING:
        tx.publish(PaymentProcessing(**facts))
    elif attempt.state is AttemptState.REQUIRES_ACTION and attempt.channel is Channel.COLLECT:
        if attempt.page_expires_at is None:
            raise ValueError(f"the attempt {attempt.id} waits for ever")
        tx.publish(
            PaymentActionRequired(
                **facts, invoice_number=invoice.number or "", expires_at=attempt.page_expires_at
            )
        )
