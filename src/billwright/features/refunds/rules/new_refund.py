"""What is a refund when it begins?"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from billwright.features.payments.model import MANUAL, PaymentId
from billwright.features.payments.rules.next_check import next_check_at
from billwright.features.refunds.model import Refund, RefundId, RefundOrigin, RefundState
from billwright.kernel.ids import new_id
from billwright.kernel.money import Money


def new_refund(
    payment_id: UUID,
    *,
    account_id: UUID,
    provider: str,
    amount: Money,
    origin: RefundOrigin,
    credit_note_id: UUID | None,
    reason: str,
    machine_now: datetime,
) -> Refund:
    """A refund under a key of its own. One that a person sends is looked after by nobody else."""
    refund_id = new_id()
    is_by_hand = provider == MANUAL
    return Refund(
        id=RefundId(refund_id),
        account_id=account_id,
        payment_id=PaymentId(payment_id),
        credit_note_id=credit_note_id,
        origin=origin,
        provider=provider,
        provider_key=f"refund:{refund_id}",
        provider_reference=None,
        state=RefundState.CREATED,
        amount=amount,
        reason=reason,
        failure_code=None,
        next_check_at=None if is_by_hand else next_check_at(machine_now, now=machine_now),
        version=1,
        created_at=machine_now,
        updated_at=machine_now,
    )
