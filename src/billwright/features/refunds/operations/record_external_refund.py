"""What is done about money that went back at the provider, and that nobody here asked for?"""

from __future__ import annotations

from billwright.features.invoicing.sql.reads_credit import refunded_minor
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import ProviderAnswer
from billwright.features.payments.model import NewReviewTask, ReviewKind
from billwright.features.payments.operations.open_review_task import open_review_task
from billwright.features.payments.sql.reads import payment_of_reference
from billwright.features.refunds.model import Refund, RefundId, RefundOrigin
from billwright.features.refunds.operations.lock_refund import LockedPayment, lock_payment
from billwright.features.refunds.operations.record_refund import announce_refund, record_refund
from billwright.features.refunds.operations.update_refunded import update_refunded
from billwright.features.refunds.rules.refund_rank import refund_state_of
from billwright.features.refunds.rules.refundable import still_to_refund_minor
from billwright.features.refunds.sql.reads import refund_of_reference
from billwright.features.refunds.sql.writes import insert_refunds
from billwright.kernel.ids import new_id
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx

_NOTHING_MOVED = frozenset({AttemptState.DECLINED, AttemptState.NOT_ATTEMPTED})


async def record_external_refund(
    tx: Tx,
    *,
    reference: str,
    payment_reference: str | None,
    answer: ProviderAnswer,
    provider: str,
) -> bool:
    """Book a refund that the provider tells of or lists, or what became of it; false when it is not known
    yet which payment it is about, or how much it is, so that the news may come again.

    It has happened, so that it is never refused: not even when it is more than is left of the payment.
    The payer does not owe it again. Unless credit notes had promised it, a person has to write the one
    that says what it was for; that note then sends no second money.
    """
    known = await _recorded(tx, answer, provider=provider, reference=reference)
    if known or answer.state in _NOTHING_MOVED:
        return True
    if payment_reference is None or answer.amount is None:
        return False
    locked = await _locked(tx, payment_reference, amount=answer.amount, provider=provider)
    if locked is None:
        return False
    if await _recorded(tx, answer, provider=provider, reference=reference):  # by another worker
        return True
    refund = _refund(
        tx, locked, answer=answer, amount=answer.amount, provider=provider, reference=reference
    )
    await _book(tx, refund, locked=locked)
    return True


async def _locked(
    tx: Tx, payment_reference: str, *, amount: Money, provider: str
) -> LockedPayment | None:
    """The payment that it is about, once the money is known to have come."""
    payment_id = await payment_of_reference(tx, provider=provider, reference=payment_reference)
    if payment_id is None:
        return None
    locked = await lock_payment(tx, payment_id)
    has_currency = amount.currency == locked.payment.amount.currency
    return locked if has_currency and locked.own_money is not None else None


async def _recorded(tx: Tx, answer: ProviderAnswer, *, provider: str, reference: str) -> bool:
    known = await refund_of_reference(tx, provider=provider, reference=reference)
    if known is None:
        return False
    await record_refund(tx, refund_id=known.id, answer=answer)
    return True


def _refund(
    tx: Tx,
    locked: LockedPayment,
    *,
    answer: ProviderAnswer,
    amount: Money,
    provider: str,
    reference: str,
) -> Refund:
    return Refund(
        id=RefundId(new_id()),
        account_id=locked.payment.account_id,
        payment_id=locked.payment.id,
        credit_note_id=None,
        origin=RefundOrigin.PROVIDER,
        provider=provider,
        provider_key=f"external:{provider}:{reference}",
        provider_reference=reference,
        state=refund_state_of(answer.state),
        amount=amount,
        reason="",
        failure_code=None,
        next_check_at=None,
        version=1,
        created_at=tx.machine_now,
        updated_at=tx.machine_now,
    )


async def _book(tx: Tx, refund: Refund, *, locked: LockedPayment) -> None:
    amount_minor = refund.amount.amount_minor
    owed_minor = still_to_refund_minor(
        amount_minor,
        promised_minor=await refunded_minor(tx, locked.invoice.id),
        payments=locked.money,
    )
    await insert_refunds(tx, [refund])
    await update_refunded(tx, [refund.payment_id])
    tx.audit(
        "refund.record_external",
        subject_type="refund",
        subject_id=refund.id,
        details={"payment_id": refund.payment_id, "amount_minor": amount_minor},
    )
    await announce_refund(tx, refund, invoice=locked.invoice)
    if owed_minor < amount_minor:
        await _ask_for_a_credit_note(
            tx, refund, locked=locked, unexplained_minor=amount_minor - owed_minor
        )


async def _ask_for_a_credit_note(
    tx: Tx, refund: Refund, *, locked: LockedPayment, unexplained_minor: int
) -> None:
    left_minor = max(locked.payment.captured_minor - locked.payment.refunded_minor, 0)
    await open_review_task(
        tx,
        NewReviewTask(
            kind=ReviewKind.REFUND_UNEXPLAINED,
            subject_type="refund",
            subject_id=refund.id,
            account_id=refund.account_id,
            details={
                "payment_id": refund.payment_id,
                "invoice_id": locked.invoice.id,
                "amount_minor": refund.amount.amount_minor,
                "unexplained_minor": unexplained_minor,
                "beyond_the_payment_minor": max(refund.amount.amount_minor - left_minor, 0),
                "currency": refund.amount.currency.code,
            },
            dedup_key=f"{ReviewKind.REFUND_UNEXPLAINED.value}:{refund.id}",
        ),
    )
