"""What follows when something happens to a case, or when time passes?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.park_account import UNBILLABLE, park_account
from billwright.features.dunning.operations.take_effect import step_attempted, take_effect
from billwright.features.dunning.rules.case import (
    CaseEvent,
    MethodRemoved,
    NotAttempted,
    Outcome,
    Retry,
    Settled,
)
from billwright.features.dunning.rules.case import Origin as AskedBy
from billwright.features.dunning.rules.next_look import next_look
from billwright.features.dunning.rules.policy import HardDecline
from billwright.features.dunning.rules.progress import after, learned
from billwright.features.dunning.rules.records import DunningCase, settlement_of
from billwright.features.dunning.sql.reads import debt_of
from billwright.features.dunning.sql.writes import update_case
from billwright.features.payments.model import AttemptId, Origin
from billwright.features.payments.operations.reserve_collection import reserve_collection
from billwright.features.payments.sql.reads import live_attempts_of
from billwright.runtime.db.tx import Tx

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Advanced:
    """A case as it stands after an event, and the attempt that was reserved for it, if one was: its
    provider is asked once this is committed.
    """

    case: DunningCase
    attempt_id: AttemptId | None = None


async def advance_case(
    tx: Tx, case: DunningCase, *, event: CaseEvent, account: Account
) -> Advanced:
    """Tell a case, whose account is locked, what happened, and do what follows."""
    outcome = after(case.standing, event, policy=case.policy, zone=account.zone)
    return await follow(tx, case, outcome=outcome, account=account)


async def advance_or_set_aside(
    tx: Tx, case: DunningCase, *, event: CaseEvent, account: Account
) -> AttemptId | None:
    """Advance a case so that what is wrong with its account's data stops nothing else: not the other
    cases, and not the payment that is being recorded. The account is parked for a person to look at,
    and the case goes on from what it knows when that has been done.
    """
    try:
        async with tx.savepoint():
            return (await advance_case(tx, case, event=event, account=account)).attempt_id
    except UNBILLABLE as error:
        reason = f"{type(error).__name__}: {error}"
        _log.warning("case of dunning set aside", case_id=str(case.id), reason=reason)
        if account.parked_reason is None:
            await park_account(tx, account_id=account.id, reason=reason)
        await _keep(tx, _knowing(case, event, zone=account.zone), due_at=tx.now)
        return None


async def follow(tx: Tx, case: DunningCase, *, outcome: Outcome, account: Account) -> Advanced:
    """Do what an event has led to, in order, and keep how the case stands then."""
    is_unmoved = outcome.case == case.standing and case.due_at == _due_at(tx, case)
    if is_unmoved and not outcome.effects:
        return Advanced(case)
    advanced = replace(case, standing=outcome.case)
    attempt_id, refused = None, None
    for effect in outcome.effects:
        if not isinstance(effect, Retry):
            await take_effect(tx, advanced, effect=effect)
            continue
        invoice_id = advanced.debt.invoice_id
        attempt_id = await reserve_collection(
            tx,
            invoice_id,
            origin=Origin.DUNNING,
            spent_too=case.policy.hard_decline is HardDecline.CONTINUE,
        )
        if attempt_id is None:
            refused = effect
        elif effect.origin is AskedBy.SCHEDULED:
            tx.publish(step_attempted(advanced))
    if refused is not None:
        return await _without_attempt(tx, advanced, refused=refused, account=account)
    return Advanced(await _keep(tx, advanced, due_at=_due_at(tx, advanced)), attempt_id)


def _knowing(case: DunningCase, event: CaseEvent, *, zone: str) -> DunningCase:
    """The case that knows of an event, as far as its data lets it."""
    try:
        standing = learned(case.standing, event, policy=case.policy, zone=zone)
    except UNBILLABLE:
        return case
    return replace(case, standing=standing)


async def _without_attempt(
    tx: Tx, case: DunningCase, *, refused: Retry, account: Account
) -> Advanced:
    """Tell a case why the attempt that it asked for was not reserved, so that it does not wait for one
    that does not exist.
    """
    invoice_id = case.debt.invoice_id
    debt = await debt_of(tx, invoice_id) or case.debt
    settlement = settlement_of(debt)
    if settlement is not None:
        event = Settled(at=tx.now, by=settlement)
        return await advance_case(tx, case, event=event, account=account)
    if await live_attempts_of(tx, [invoice_id]):
        # Most likely a page that its payer has left open; the sweep can close it, and looks at once.
        is_fresh = case.standing.fresh_method or refused.origin is AskedBy.NEW_METHOD
        waiting = replace(case.standing, under_way=None, fresh_method=is_fresh)
        return Advanced(await _keep(tx, replace(case, standing=waiting), due_at=tx.now))
    advanced = await advance_case(tx, case, event=MethodRemoved(at=tx.now), account=account)
    return await advance_case(tx, advanced.case, event=NotAttempted(at=tx.now), account=account)


def _due_at(tx: Tx, case: DunningCase) -> datetime | None:
    return next_look(case.standing, case.policy, now=tx.now)


async def _keep(tx: Tx, case: DunningCase, *, due_at: datetime | None) -> DunningCase:
    kept = replace(case, due_at=due_at, version=case.version + 1, updated_at=tx.now)
    await update_case(tx, kept)
    standing = case.standing
    tx.audit(
        "dunning.advance",
        subject_type="dunning_case",
        subject_id=case.id,
        details={"state": standing.state, "step": standing.step, "under_way": standing.under_way},
    )
    return kept
