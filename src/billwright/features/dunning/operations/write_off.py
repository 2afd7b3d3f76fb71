"""How does a seller give up on what a case pursues?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billwright.features.dunning.operations.tell_cases import money_has_moved
from billwright.features.dunning.rules.records import DunningCase
from billwright.features.dunning.sql.reads import case_by_id
from billwright.features.invoicing.operations.mark_uncollectible import (
    MarkUncollectible,
    mark_uncollectible,
)
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOff:
    """Expect no more money for the invoice of a case; `reason` is for the books."""

    case_id: UUID
    reason: str


async def write_off(tx: Tx, command: WriteOff) -> DunningCase:
    """Mark the invoice uncollectible, which ends its case, also an exhausted one. What the case took of
    access is given back: who wants that to end cancels the subscription.

    Refuses: `payment_failure_unknown`, `state_forbids`.
    """
    case = await case_by_id(tx, command.case_id)
    invoice_id = case.debt.invoice_id
    await mark_uncollectible(tx, MarkUncollectible(invoice_id=invoice_id, reason=command.reason))
    # The commit would do it as well, but whoever asks wants to see it done.
    await money_has_moved(tx, [invoice_id])
    tx.audit("dunning.write_off", subject_type="dunning_case", subject_id=case.id, details=command)
    return await case_by_id(tx, command.case_id)
