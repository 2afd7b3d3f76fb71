"""How does money go back after a refund has failed?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.invoicing.sql.reads_credit import refunded_minor
from billwright.features.payments.model import MANUAL
from billwright.features.refunds.errors import refund_not_retryable
from billwright.features.refunds.model import Refund, RefundState
from billwright.features.refunds.operations.lock_refund import LockedPayment, lock_refund
from billwright.features.refunds.operations.reserve_refunds import reserve_refunds
from billwright.features.refunds.rules.new_refund import new_refund
from billwright.features.refunds.rules.refundable import still_to_refund_minor
from billwright.features.refunds.sql.reads import refunded_for_notes
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRefund:
    """Try again, at the provider or, `by_hand`, as money that a person sends."""

    refund_id: UUID
    by_hand: bool = False


async def retry_refund(tx: Tx, command: RetryRefund) -> Refund:
    """Reserve what a credit note still owes its payer once more, as a refund of its own; the failed one
    stays as it was. What was taken from the account's credit is there again, and is not retried.

    Refuses: `refund_unknown`, `refund_not_retryable`.
    """
    failed, locked = await lock_refund(tx, command.refund_id)
    if reason := await _obstacle(tx, failed, locked=locked):
        raise refund_not_retryable(refund_id=failed.id, reason=reason)
    refund = new_refund(
        failed.payment_id,
        account_id=failed.account_id,
        provider=MANUAL if command.by_hand else locked.payment.provider,
        amount=failed.amount,
        origin=failed.origin,
        credit_note_id=failed.credit_note_id,
        reason=failed.reason,
        machine_now=tx.machine_now,
    )
    await reserve_refunds(tx, [refund])
    tx.audit(
        "refund.retry",
        subject_type="refund",
        subject_id=failed.id,
        details={"by_hand": command.by_hand, "new_refund_id": refund.id},
    )
    return refund


async def _obstacle(tx: Tx, failed: Refund, *, locked: LockedPayment) -> str | None:
    if failed.state is not RefundState.FAILED:
        return "it has not failed"
    if failed.credit_note_id is None:
        return "no credit note has promised it"
    note = await invoice_by_id(tx, failed.credit_note_id)
    refunded = await refunded_for_notes(tx, [note.id])
    owed_minor = still_to_refund_minor(
        note.to_refund_minor - refunded.get(note.id, 0),
        promised_minor=await refunded_minor(tx, locked.invoice.id),
        payments=locked.money,
    )
    if owed_minor < failed.amount.amount_minor:
        return "its payer has the money"
    money = locked.own_money
    if money is None or money.applied_left_minor < failed.amount.amount_minor:
        return "the payment has not as much left"
    return None
