"""What will be billed at the end of the trial or the period that is running?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.accounts.operations.park_account import UNBILLABLE
from billwright.features.invoicing.model import Invoice, InvoiceLine, IssuedInvoice, NewCharge
from billwright.features.invoicing.sql.reads import invoice_by_id, lines_of
from billwright.features.subscriptions.model import Subscription
from billwright.features.subscriptions.operations.apply_transitions import apply_transitions
from billwright.features.subscriptions.operations.take_due_steps import due_transitions
from billwright.features.subscriptions.rules.transition import Transition
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True)
class Step:
    """The step over a boundary, and the documents of its account that come with it."""

    transition: Transition
    documents: tuple[IssuedInvoice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What a boundary brings: documents with their lines or, where nothing is invoiced then, the
    charges that wait. `problem` says why it cannot be billed as things stand.
    """

    documents: tuple[tuple[Invoice, tuple[InvoiceLine, ...]], ...] = ()
    waiting: tuple[NewCharge, ...] = ()
    problem: str | None = None


async def foresee_boundary(tx: Tx, subscription: Subscription) -> Foreseen:
    """What one subscription's boundary brings, by taking it over it and undoing that."""
    account = await lock_account(tx, subscription.account_id)
    try:
        async with tx.foreseeing(max(subscription.period.end, tx.now)):
            steps = await steps_over_boundaries(
                tx, [subscription], accounts={subscription.account_id: account}
            )
            step = steps.get(subscription.id)
            return await _told(tx, step) if step else Foreseen()
    except UNBILLABLE as error:
        return Foreseen(problem=str(error))


async def foresee_amounts(
    tx: Tx, subscriptions: Sequence[Subscription], *, accounts: Mapping[UUID, Account]
) -> dict[UUID, Step]:
    """The steps of many subscriptions over their boundaries, at most one subscription of an account.
    What cannot be billed is absent.
    """
    try:
        return await _foresee_together(tx, subscriptions, accounts=accounts)
    except UNBILLABLE:
        steps: dict[UUID, Step] = {}
        for one in subscriptions:
            try:
                steps |= await _foresee_together(tx, [one], accounts=accounts)
            except UNBILLABLE:
                continue
        return steps


async def steps_over_boundaries(
    tx: Tx, subscriptions: Sequence[Subscription], *, accounts: Mapping[UUID, Account]
) -> dict[UUID, Step]:
    """Take subscriptions, of one account each, over what comes up to the end of their periods."""
    ends: dict[UUID, datetime] = {one.id: one.period.end for one in subscriptions}
    steps: dict[UUID, Step] = {}
    due = list(subscriptions)
    while due := [one for one in due if _comes_until(one, ends[one.id])]:
        transitions = await due_transitions(tx, due, accounts=accounts)
        billed = await apply_transitions(tx, transitions, accounts=accounts)
        for one in transitions:
            own = [each for each in billed.documents if each.account_id == one.after.account_id]
            steps[one.after.id] = Step(one, tuple(own))
        due = [one.after for one in transitions if one.at < ends[one.after.id]]
    return {key: step for key, step in steps.items() if step.transition.at >= ends[key]}


def _comes_until(subscription: Subscription, end: datetime) -> bool:
    at = subscription.next_action_at
    return at is not None and at <= end


async def _foresee_together(
    tx: Tx, subscriptions: Sequence[Subscription], *, accounts: Mapping[UUID, Account]
) -> dict[UUID, Step]:
    async with tx.foreseeing(max(one.period.end for one in subscriptions)):
        return await steps_over_boundaries(tx, subscriptions, accounts=accounts)


async def _told(tx: Tx, step: Step) -> Foreseen:
    documents = [
        (await invoice_by_id(tx, one.id), tuple(await lines_of(tx, one.id)))
        for one in step.documents
    ]
    return Foreseen(
        documents=tuple(documents), waiting=() if documents else step.transition.charges
    )
