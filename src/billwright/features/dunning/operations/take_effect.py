"""What does dunning do to the subscriptions and the access of who owes?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.dunning.events import (
    DunningAccessChanged,
    DunningEnded,
    DunningExhausted,
    DunningNoticeDue,
    DunningRecovered,
    DunningStep,
)
from billwright.features.dunning.rules.case import (
    CaseState,
    Effect,
    Finish,
    Notify,
    PassOver,
    Restore,
    Restrict,
    Retry,
)
from billwright.features.dunning.rules.policy import (
    EntitlementEffect,
    EntitlementStep,
    FinalAction,
    Scope,
)
from billwright.features.dunning.rules.records import DunningCase
from billwright.features.dunning.sql.reads import cases_of_accounts
from billwright.features.entitlements.model import Restriction, RestrictionEffect
from billwright.features.entitlements.operations.lift_restrictions import lift_restrictions
from billwright.features.entitlements.operations.restrict_access import restrict_access
from billwright.features.subscriptions.model import CancellationMode, CancellationReason
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    Terms,
    cancel_subscription,
)
from billwright.features.subscriptions.operations.mark_unpaid import mark_unpaid
from billwright.features.subscriptions.operations.recover_subscription import recover_subscription
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.features.subscriptions.sql.reads import subscription_by_id
from billwright.kernel.refusal import Refusal
from billwright.kernel.state_machine import state_forbids
from billwright.runtime.db.tx import Tx


async def take_effect(tx: Tx, case: DunningCase, *, effect: Effect) -> None:
    """Do what follows for a case, which stands as it does afterwards; an attempt is asked for by who
    can tell the case that there is none.
    """
    match effect:
        case Retry():
            raise ValueError("an attempt is reserved, not taken effect of")
        case PassOver():
            tx.publish(_step(case, effect.step, attempted=False))
        case Notify():
            tx.publish(_notice(case, effect))
        case Restrict():
            await _restrict(tx, case, step=effect.step)
        case Finish():
            await _finish(tx, case, action=effect.action)
        case Restore():
            await _restore(tx, case)


def step_attempted(case: DunningCase) -> DunningStep:
    """What is told of a step of the schedule whose attempt was just reserved."""
    step = min(case.standing.step + 1, len(case.policy.schedule))
    return _step(case, step, attempted=True)


def _step(case: DunningCase, step: int, *, attempted: bool) -> DunningStep:
    return DunningStep(
        subject_id=case.id,
        account_id=case.account_id,
        invoice_id=case.debt.invoice_id,
        step=step,
        attempted=attempted,
    )


def _notice(case: DunningCase, notice: Notify) -> DunningNoticeDue:
    return DunningNoticeDue(
        subject_id=case.id,
        account_id=case.account_id,
        invoice_id=case.debt.invoice_id,
        invoice_number=case.debt.number,
        step=notice.step,
        code=notice.code,
        currency=case.debt.due.currency.code,
        due_minor=case.debt.due.amount_minor,
        next_attempt_at=case.standing.next_attempt_at,
    )


async def _restrict(tx: Tx, case: DunningCase, *, step: EntitlementStep) -> None:
    if step.effect is EntitlementEffect.KEEP:
        return  # It comes before all others, so that there is nothing to lift yet.
    of_account = case.policy.scope is Scope.ACCOUNT
    restricted = [None] if of_account else [*case.subscription_ids]
    if not restricted:
        return
    await restrict_access(
        tx,
        [
            Restriction(
                cause_id=case.id,
                account_id=case.account_id,
                subscription_id=subscription_id,
                effect=RestrictionEffect(step.effect.value),
                features=step.features,
            )
            for subscription_id in restricted
        ],
    )
    tx.publish(
        DunningAccessChanged(
            subject_id=case.id,
            account_id=case.account_id,
            invoice_id=case.debt.invoice_id,
            invoice_number=case.debt.number,
            effect=step.effect.value,
            features=step.features,
            subscription_ids=() if of_account else case.subscription_ids,
        )
    )


async def _finish(tx: Tx, case: DunningCase, *, action: FinalAction) -> None:
    tx.publish(
        DunningExhausted(
            subject_id=case.id,
            account_id=case.account_id,
            invoice_id=case.debt.invoice_id,
            invoice_number=case.debt.number,
            action=action.value,
            subscription_ids=case.subscription_ids,
        )
    )
    for subscription_id in case.subscription_ids:
        match action:
            case FinalAction.CANCEL:
                await _cancel(tx, subscription_id)
            case FinalAction.MARK_UNPAID:
                await mark_unpaid(tx, subscription_id)
            case FinalAction.LEAVE_PAST_DUE:
                pass


async def _cancel(tx: Tx, subscription_id: UUID) -> None:
    """What has ended already, or does when it is brought up to now, needs no other end."""
    subscription = await subscription_by_id(tx, subscription_id)
    if not LIFECYCLE.allows(subscription.state, Action.CANCEL):
        return
    command = CancelSubscription(
        subscription_id=subscription_id,
        mode=CancellationMode.NOW,
        terms=Terms.WAIVE,
        reason=CancellationReason.PAYMENT_FAILED,
    )
    try:
        async with tx.savepoint():
            await cancel_subscription(tx, command)
    except Refusal as refusal:
        if refusal.code != state_forbids.code:
            raise


async def _restore(tx: Tx, case: DunningCase) -> None:
    """A subscription that is missing another payment stays past due until that has come as well."""
    await lift_restrictions(tx, case.id)
    waiting = await cases_of_accounts(tx, [case.account_id])
    held = {held for other in waiting if other.id != case.id for held in other.subscription_ids}
    for subscription_id in case.subscription_ids:
        if subscription_id not in held:
            await recover_subscription(tx, subscription_id)
    tx.publish(_end(case))


def _end(case: DunningCase) -> DunningRecovered | DunningEnded:
    if case.standing.state is CaseState.RECOVERED:
        return DunningRecovered(
            subject_id=case.id,
            account_id=case.account_id,
            invoice_id=case.debt.invoice_id,
            invoice_number=case.debt.number,
        )
    return DunningEnded(
        subject_id=case.id,
        account_id=case.account_id,
        invoice_id=case.debt.invoice_id,
        invoice_number=case.debt.number,
        state=case.standing.state.value,
    )
