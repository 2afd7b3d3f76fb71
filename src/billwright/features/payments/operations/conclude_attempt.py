"""How does a person say what became of a payment when the provider cannot?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from billwright.features.invoicing.operations.lock_invoice import lock_invoice
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import ProviderAnswer
from billwright.features.payments.errors import outcome_known
from billwright.features.payments.model import Attempt, Payment
from billwright.features.payments.operations.record_attempt import record_attempt
from billwright.features.payments.rules.attempt_rank import LIVE
from billwright.features.payments.sql.reads import attempts_of, payment_by_id
from billwright.runtime.db.tx import Tx
from billwright.runtime.secrets import SecretBox


class Outcome(StrEnum):
    """What a person has seen in the provider's books."""

    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    NOT_ATTEMPTED = "not_attempted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcludeAttempt:
    """Say how a payment has ended; `note` says where that was seen, for the books."""

    payment_id: UUID
    outcome: Outcome
    note: str


async def conclude_attempt(tx: Tx, command: ConcludeAttempt, *, box: SecretBox) -> Payment:
    """Book what a person has found out, as if the provider had answered; if it answers after all, its
    word counts where it says more.

    Refuses: `payment_unknown`, `outcome_known`.
    """
    await lock_invoice(tx, (await payment_by_id(tx, command.payment_id)).invoice_id)
    attempts = await attempts_of(tx, command.payment_id)
    open_ended = [attempt for attempt in attempts if _only_a_person_can_tell(attempt)]
    if not open_ended:
        raise outcome_known(payment_id=command.payment_id)
    tx.audit(
        "payment.conclude", subject_type="payment", subject_id=command.payment_id, details=command
    )
    return await record_attempt(
        tx,
        attempt_id=open_ended[0].id,
        answer=ProviderAnswer(
            AttemptState(command.outcome.value), failure_code="concluded_by_a_person"
        ),
        box=box,
    )


def _only_a_person_can_tell(attempt: Attempt) -> bool:
    if attempt.state is AttemptState.UNKNOWN:
        return True
    return attempt.state in LIVE and attempt.next_check_at is None
