"""How does a person have an unpaid invoice tried again now?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.dunning.errors import payment_method_missing
from billwright.features.dunning.operations.advance_case import Advanced, advance_case
from billwright.features.dunning.operations.has_method import has_method
from billwright.features.dunning.operations.pause_dunning import open_and_locked
from billwright.features.dunning.rules.case import ManualRetry
from billwright.features.payments.errors import payment_in_progress
from billwright.features.payments.sql.reads import live_attempts_of
from billwright.runtime.db.tx import Tx


async def retry_payment_failure(tx: Tx, case_id: UUID) -> Advanced:
    """Reserve an attempt with the account's method; once this is committed, `collect_attempt` asks the
    provider. It neither takes a step of the schedule nor moves the next one, also while a case pauses.

    Refuses: `payment_failure_unknown`, `payment_failure_ended`, `payment_in_progress`,
    `payment_method_missing`.
    """
    case, account = await open_and_locked(tx, case_id)
    if await live_attempts_of(tx, [case.debt.invoice_id]):
        raise payment_in_progress(invoice_id=case.debt.invoice_id)
    if not await has_method(tx, account, policy=case.policy):
        raise payment_method_missing(account_id=account.id)
    advanced = await advance_case(tx, case, event=ManualRetry(at=tx.now), account=account)
    tx.audit("dunning.retry", subject_type="dunning_case", subject_id=case_id)
    return advanced
