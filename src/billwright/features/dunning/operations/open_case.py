"""When does an unpaid invoice begin to be pursued?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.dunning.events import DunningOpened
from billwright.features.dunning.model import DunningCaseId
from billwright.features.dunning.operations.advance_case import Advanced, follow
from billwright.features.dunning.operations.has_method import has_method
from billwright.features.dunning.rules.progress import open_case as begin
from billwright.features.dunning.rules.records import (
    Debtor,
    DunningCase,
    past_due_since,
    plan_of,
    pursued,
)
from billwright.features.dunning.sql.reads import debt_of, debtors_of
from billwright.features.dunning.sql.reads_policies import policy_for
from billwright.features.dunning.sql.writes import insert_case
from billwright.features.invoicing.model import InvoiceState
from billwright.features.payment_providers.model import Decline
from billwright.features.subscriptions.operations.mark_past_due import mark_past_due
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx

_OWED = frozenset({InvoiceState.OPEN, InvoiceState.PARTIALLY_PAID})


async def open_case(
    tx: Tx, invoice_id: UUID, *, account: Account, decline: Decline | None
) -> Advanced | None:
    """Pursue an invoice of a locked account whose attempt was declined or, without a decline, that is
    overdue; its subscriptions become past due. None where the policy pursues nothing, and where none of
    the invoice's subscriptions lives.

    That no case waits for this money yet is for the caller to know.
    """
    debt = await debt_of(tx, invoice_id)
    debtors = pursued(await debtors_of(tx, invoice_id))
    if debt is None or debt.state not in _OWED or debtors is None:
        return None
    policy = (await policy_for(tx, plan_of(debtors))).policy
    if not policy.pursues(debt.due):
        return None
    outcome = begin(
        policy,
        at=tx.now,
        past_due_at=past_due_since(debtors, now=tx.now),
        decline=decline,
        chargeable=await has_method(tx, account, policy=policy),
        zone=account.zone,
    )
    case = DunningCase(
        id=DunningCaseId(new_id()),
        account_id=account.id,
        subscription_ids=tuple(one.subscription_id for one in debtors),
        policy=policy,
        standing=outcome.case,
        debt=debt,
        due_at=None,
        version=1,
        updated_at=tx.now,
    )
    await insert_case(tx, case)
    _tell(tx, case)
    await _mark_past_due(tx, case, debtors=debtors)
    return await follow(tx, case, outcome=outcome, account=account)


async def _mark_past_due(tx: Tx, case: DunningCase, *, debtors: tuple[Debtor, ...]) -> None:
    """One that has no room for it now, as in a trial, becomes past due when it starts or resumes."""
    for debtor in debtors:
        await mark_past_due(tx, debtor.subscription_id, since=case.standing.past_due_at)


def _tell(tx: Tx, case: DunningCase) -> None:
    tx.publish(
        DunningOpened(
            subject_id=case.id,
            account_id=case.account_id,
            invoice_id=case.debt.invoice_id,
            invoice_number=case.debt.number,
            currency=case.debt.due.currency.code,
            due_minor=case.debt.due.amount_minor,
            past_due_at=case.standing.past_due_at,
            next_attempt_at=case.standing.next_attempt_at,
        )
    )
    tx.audit(
        "dunning.open",
        subject_type="dunning_case",
        subject_id=case.id,
        details={"invoice_id": case.debt.invoice_id},
    )
