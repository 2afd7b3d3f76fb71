"""What does a provider's answer do to a refund?"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from billwright.features.invoicing.model import CreditChange, CreditEntryKind, Invoice
from billwright.features.invoicing.operations.change_credit import change_credit
from billwright.features.invoicing.sql.reads_credit import credit_balance
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import ProviderAnswer
from billwright.features.payments.model import NewReviewTask, ReviewKind
from billwright.features.payments.operations.open_review_task import open_review_task
from billwright.features.refunds.events import RefundFailed, RefundSucceeded
from billwright.features.refunds.model import Refund, RefundState
from billwright.features.refunds.operations.lock_refund import lock_refund
from billwright.features.refunds.operations.update_refunded import update_refunded
from billwright.features.refunds.rules.refund_rank import (
    ENDED,
    NEVER_SENT,
    refund_state_of,
    supersedes,
)
from billwright.features.refunds.sql.writes import update_refund
from billwright.runtime.db.tx import Tx


async def record_refund(tx: Tx, *, refund_id: UUID, answer: ProviderAnswer) -> Refund:
    """Store what a provider said of a refund; the refund as it stands then.

    An answer that says no more than what is known changes nothing. One that failed gives its part back
    to the payment, and to the account's credit where it was taken from that; then a person has to see
    how the payer gets the money.

    Refuses: `refund_unknown`.
    """
    refund, locked = await lock_refund(tx, refund_id)
    if not supersedes(answer.state, known=refund):
        return refund
    state = refund_state_of(answer.state)
    never_sent = answer.state is AttemptState.NOT_ATTEMPTED
    answered = replace(
        refund,
        state=state,
        provider_reference=answer.provider_reference or refund.provider_reference,
        failure_code=answer.failure_code or (NEVER_SENT if never_sent else None),
        next_check_at=None if state in ENDED else refund.next_check_at,
        version=refund.version + 1,
        updated_at=tx.machine_now,
    )
    await update_refund(tx, answered)
    tx.audit(
        "refund.record",
        subject_type="refund",
        subject_id=refund.id,
        details={"from": refund.state, "to": answered.state, "failure_code": answered.failure_code},
    )
    await _return_or_take(tx, before=refund, after=answered)
    await announce_refund(tx, answered, invoice=locked.invoice)
    if answer.amount is not None and answer.amount != refund.amount and state in ENDED:
        await _flag_amount(tx, answered, answer=answer)
    return answered


async def announce_refund(tx: Tx, refund: Refund, *, invoice: Invoice) -> None:
    """Say how a refund has ended, if it has; a failure is a person's to look after."""
    if refund.state is RefundState.SUCCEEDED:
        tx.publish(
            RefundSucceeded(
                subject_id=refund.id,
                account_id=refund.account_id,
                payment_id=refund.payment_id,
                invoice_id=invoice.id,
                invoice_number=invoice.number or "",
                currency=refund.amount.currency.code,
                amount_minor=refund.amount.amount_minor,
            )
        )
    if refund.state is not RefundState.FAILED:
        return
    tx.publish(
        RefundFailed(
            subject_id=refund.id,
            account_id=refund.account_id,
            payment_id=refund.payment_id,
            invoice_id=invoice.id,
            currency=refund.amount.currency.code,
            amount_minor=refund.amount.amount_minor,
            failure_code=refund.failure_code,
        )
    )
    await _ask_a_person(
        tx,
        refund,
        kind=ReviewKind.REFUND_FAILED,
        details={"failure_code": refund.failure_code, "credit_note_id": refund.credit_note_id},
    )


async def _return_or_take(tx: Tx, *, before: Refund, after: Refund) -> None:
    """Let payment and credit follow where a refund has failed, or has turned out not to have."""
    has_failed = after.state is RefundState.FAILED
    if has_failed == (before.state is RefundState.FAILED):
        return
    await update_refunded(tx, [after.payment_id])
    if not after.is_from_credit:
        return
    amount_minor = after.amount.amount_minor
    if not has_failed:
        balance = await credit_balance(tx, after.account_id, currency=after.amount.currency)
        amount_minor = -min(amount_minor, balance.amount_minor)
    if amount_minor:
        await change_credit(
            tx,
            [
                CreditChange(
                    account_id=after.account_id,
                    currency=after.amount.currency,
                    kind=CreditEntryKind.RETURNED if has_failed else CreditEntryKind.WITHDRAWN,
                    amount_minor=amount_minor,
                    reason=after.reason,
                )
            ],
        )
    # What the account has used meanwhile went out twice.
    if not has_failed and -amount_minor < after.amount.amount_minor:
        await _ask_a_person(
            tx,
            after,
            kind=ReviewKind.REFUND_UNEXPLAINED,
            details={"missing_minor": after.amount.amount_minor + amount_minor},
        )


async def _flag_amount(tx: Tx, refund: Refund, *, answer: ProviderAnswer) -> None:
    await _ask_a_person(
        tx,
        refund,
        kind=ReviewKind.AMOUNT_DIFFERS,
        details={"asked": str(refund.amount), "answered": str(answer.amount)},
    )


async def _ask_a_person(
    tx: Tx, refund: Refund, *, kind: ReviewKind, details: dict[str, object]
) -> None:
    await open_review_task(
        tx,
        NewReviewTask(
            kind=kind,
            subject_type="refund",
            subject_id=refund.id,
            account_id=refund.account_id,
            details={
                "payment_id": refund.payment_id,
                "amount_minor": refund.amount.amount_minor,
                "currency": refund.amount.currency.code,
                **details,
            },
            dedup_key=f"{kind.value}:{refund.id}",
        ),
    )
