"""How does a billing run work?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.park_account import UNBILLABLE, park_account
from billwright.features.accounts.sql.reads import accounts_by_id
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.invoicing.model import Billed
from billwright.features.subscriptions.model import Subscription, SubscriptionState
from billwright.features.subscriptions.operations.activate_subscriptions import activate_settled
from billwright.features.subscriptions.operations.apply_transitions import apply_transitions
from billwright.features.subscriptions.operations.gather_facts import Question, gather_facts
from billwright.features.subscriptions.rules.due import take_step
from billwright.features.subscriptions.rules.transition import Transition
from billwright.features.subscriptions.sql.reads import due_subscriptions
from billwright.features.subscriptions.sql.writes import claim_due_accounts
from billwright.runtime.db.tx import Tx

BATCH_SIZE = 1000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What one batch did; a batch that claimed nothing means that nothing is due any more.

    `parked` are the accounts that could not be billed, with the reason.
    """

    accounts: tuple[UUID, ...] = ()
    steps: int = 0
    billed: Billed = Billed()
    parked: tuple[tuple[UUID, str], ...] = ()


async def take_due_steps(
    tx: Tx, *, as_of: datetime, test_clock_id: UUID | None, batch_size: int = BATCH_SIZE
) -> BatchReport:
    """Take one batch of accounts over the first instant that is due for each of their subscriptions.

    Running it again with the same `as_of` finds nothing; two workers share the accounts.
    """
    claimed = await claim_due_accounts(
        tx, test_clock_id=test_clock_id, as_of=as_of, limit=batch_size
    )
    return await take_steps_of(tx, claimed, as_of=as_of) if claimed else BatchReport()


async def take_steps_of(tx: Tx, claimed: Sequence[UUID], *, as_of: datetime) -> BatchReport:
    """Take the due subscriptions of accounts, which are locked, over their next instant.

    One query reads each kind of row, pure rules compute, one statement writes each kind. An account
    whose data cannot be billed is parked with the reason, and the rest of the batch is billed.
    """
    due = await due_subscriptions(tx, account_ids=claimed, as_of=as_of)
    accounts = await accounts_by_id(tx, claimed)
    try:
        async with tx.savepoint():
            billed = await _take(tx, due, accounts=accounts)
        return BatchReport(tuple(claimed), len(due), billed)
    except UNBILLABLE:
        return await _take_one_by_one(tx, due, accounts=accounts)


async def claim_accounts_after(
    tx: Tx, after: UUID, *, as_of: datetime, limit: int = BATCH_SIZE
) -> list[UUID]:
    """Lock accounts that have something due, in the order of their ids and beyond `after`: so a
    rehearsal, which leaves everything as it was, comes to an end.
    """
    claimed = await claim_due_accounts(
        tx, test_clock_id=None, as_of=as_of, limit=limit, after=after
    )
    return sorted(claimed)


async def due_transitions(
    tx: Tx, due: Sequence[Subscription], *, accounts: Mapping[UUID, Account]
) -> list[Transition]:
    """The next step of each subscription, which is due."""
    facts = await gather_facts(
        tx,
        [Question(one, one.next_action_at) for one in due if one.next_action_at is not None],
        accounts=accounts,
    )
    pending = [one.pending_change.plan_version_id for one in due if one.pending_change]
    following = await plan_versions(tx, pending) if pending else {}
    return [
        take_step(
            one,
            facts[one.id],
            following=(
                following[one.pending_change.plan_version_id]
                if one.pending_change
                else facts[one.id].version
            ),
            now=tx.now,
        )
        for one in due
    ]


async def _take(tx: Tx, due: Sequence[Subscription], *, accounts: Mapping[UUID, Account]) -> Billed:
    transitions = await due_transitions(tx, due, accounts=accounts)
    billed = await apply_transitions(tx, transitions, accounts=accounts)
    if any(one.after.state is SubscriptionState.INCOMPLETE for one in transitions):
        await activate_settled(tx, billed)
    return billed


async def _take_one_by_one(
    tx: Tx, due: Sequence[Subscription], *, accounts: Mapping[UUID, Account]
) -> BatchReport:
    """The slow way, after the batch as a whole was refused: find the account that cannot be billed."""
    billed, parked = Billed(), []
    for account_id in accounts:
        own = [subscription for subscription in due if subscription.account_id == account_id]
        try:
            async with tx.savepoint():
                billed += await _take(tx, own, accounts=accounts)
        except UNBILLABLE as error:
            reason = f"{type(error).__name__}: {error}"
            _log.warning("account parked", account_id=str(account_id), reason=reason)
            await park_account(tx, account_id=account_id, reason=reason)
            parked.append((account_id, reason))
    return BatchReport(tuple(accounts), len(due), billed, tuple(parked))
