"""How does a person say what became of a refund that nobody else can tell of?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billwright.features.payment_providers.model import AttemptState, Decline
from billwright.features.payment_providers.port import ProviderAnswer
from billwright.features.refunds.errors import refund_not_confirmable
from billwright.features.refunds.model import Refund, RefundState
from billwright.features.refunds.operations.lock_refund import lock_refund
from billwright.features.refunds.operations.record_refund import record_refund
from billwright.features.refunds.rules.refund_rank import is_a_persons
from billwright.runtime.db.tx import Tx

_NOT_SENT = "not_sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmRefund:
    """The money has gone back (`was_sent`), or will not; `reference` is what the transfer is called."""

    refund_id: UUID
    was_sent: bool
    reference: str | None = None


async def confirm_refund(tx: Tx, command: ConfirmRefund) -> Refund:
    """For money that a person sends, and for a refund whose provider has said nothing for a week.

    Refuses: `refund_unknown`, `refund_not_confirmable`.
    """
    refund, _ = await lock_refund(tx, command.refund_id)
    said = RefundState.SUCCEEDED if command.was_sent else RefundState.FAILED
    if refund.state is said:
        return refund
    if not is_a_persons(refund):
        raise refund_not_confirmable(
            refund_id=refund.id, state=refund.state.value, provider=refund.provider
        )
    answer = ProviderAnswer(
        AttemptState.SUCCEEDED if command.was_sent else AttemptState.DECLINED,
        command.reference,
        None if command.was_sent else _NOT_SENT,
        decline=None if command.was_sent else Decline.HARD,
    )
    tx.audit(
        "refund.confirm",
        subject_type="refund",
        subject_id=refund.id,
        details={"was_sent": command.was_sent, "reference": command.reference},
    )
    return await record_refund(tx, refund_id=refund.id, answer=answer)
