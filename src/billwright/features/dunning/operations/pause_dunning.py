"""How does a person hold back what would be done about an unpaid invoice?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.dunning.errors import pause_until_invalid, payment_failure_ended
from billwright.features.dunning.events import DunningPaused, DunningResumed
from billwright.features.dunning.operations.advance_case import Advanced, advance_case
from billwright.features.dunning.rules.case import CaseState, Paused, Resumed
from billwright.features.dunning.rules.records import DunningCase
from billwright.features.dunning.sql.reads import case_by_id
from billwright.runtime.db.tx import Tx

_LONGEST_PAUSE = timedelta(days=730)


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseDunning:
    """Let nothing happen by itself before `until`; what comes due meanwhile comes then."""

    case_id: UUID
    until: datetime


async def pause_dunning(tx: Tx, command: PauseDunning) -> DunningCase:
    """Pause a case, or move the end of its pause.

    Refuses: `payment_failure_unknown`, `payment_failure_ended`, `pause_until_invalid`.
    """
    case, account = await open_and_locked(tx, command.case_id)
    if not tx.now < command.until <= tx.now + _LONGEST_PAUSE:
        raise pause_until_invalid(pointer="/until", until=command.until.isoformat())
    event = Paused(at=tx.now, until=command.until)
    advanced = await advance_case(tx, case, event=event, account=account)
    tx.publish(
        DunningPaused(
            subject_id=case.id,
            account_id=case.account_id,
            invoice_id=case.debt.invoice_id,
            until=command.until,
        )
    )
    tx.audit("dunning.pause", subject_type="dunning_case", subject_id=case.id, details=command)
    return advanced.case


async def resume_dunning(tx: Tx, case_id: UUID) -> Advanced:
    """End a pause before its time: what has come due comes now, which may be an attempt. One that does
    not pause goes on as it was.

    Refuses: `payment_failure_unknown`, `payment_failure_ended`.
    """
    case, account = await open_and_locked(tx, case_id)
    if case.standing.paused_until is None:
        return Advanced(case)
    tx.publish(
        DunningResumed(
            subject_id=case.id, account_id=case.account_id, invoice_id=case.debt.invoice_id
        )
    )
    tx.audit("dunning.resume", subject_type="dunning_case", subject_id=case.id)
    return await advance_case(tx, case, event=Resumed(at=tx.now), account=account)


async def open_and_locked(tx: Tx, case_id: UUID) -> tuple[DunningCase, Account]:
    """A case that is open, with its account, which is locked.

    Refuses: `payment_failure_unknown`, `payment_failure_ended`.
    """
    account = await lock_account(tx, (await case_by_id(tx, case_id)).account_id)
    case = await case_by_id(tx, case_id)  # again, now that its account is locked
    if case.standing.state is not CaseState.OPEN:
        raise payment_failure_ended(case_id=case_id, state=case.standing.state.value)
    return case, account
