"""What do cases learn from what happens elsewhere, in the commit in which it happens?

Most commits are about nothing that is pursued: what they cost here is one indexed query for each kind
of fact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.accounts.operations.park_account import UNBILLABLE, park_account
from billwright.features.dunning.operations.advance_case import advance_or_set_aside
from billwright.features.dunning.operations.has_method import has_method
from billwright.features.dunning.operations.open_case import open_case
from billwright.features.dunning.rules.case import (
    CaseEvent,
    CaseState,
    Declined,
    DueReduced,
    MethodAdded,
    MethodRemoved,
    NotAttempted,
    Settled,
    Settlement,
    Unsettled,
)
from billwright.features.dunning.rules.records import DunningCase, settlement_of
from billwright.features.dunning.sql.reads import (
    cases_by_id,
    cases_of_accounts,
    cases_of_invoices,
    ended_subscriptions,
)
from billwright.features.invoicing.operations.collect_invoices import reschedule_collection
from billwright.features.payment_providers.model import Decline
from billwright.features.payments.operations.collect_attempt import collect_later
from billwright.features.payments.sql.reads import live_attempts_of
from billwright.features.subscriptions.operations.mark_past_due import mark_past_due
from billwright.runtime.db.tx import Tx

# What could not be sent, or not be pursued, is asked for again: nothing else would look at it.
_ASKED_AGAIN_AFTER = timedelta(hours=1)

_log = structlog.get_logger(__name__)


async def attempts_are_under_way(tx: Tx, invoice_ids: Sequence[UUID]) -> None:
    """Somebody is about to be asked for the money of these invoices, or the provider moves it, or the
    payer has to confirm it.
    """
    for case, account in await _open_cases(tx, await cases_of_invoices(tx, invoice_ids)):
        await _tell(tx, case, event=Unsettled(at=tx.now), account=account)


async def attempt_was_declined(tx: Tx, invoice_id: UUID, *, decline: Decline) -> bool:
    """The provider said no; false when no case waits for the money of the invoice."""
    return await _attempt_ended(tx, invoice_id, event=Declined(at=tx.now, decline=decline))


async def attempt_was_not_made(tx: Tx, invoice_id: UUID) -> bool:
    """It is certain that nobody was asked; false when no case waits for the money of the invoice."""
    return await _attempt_ended(tx, invoice_id, event=NotAttempted(at=tx.now))


async def money_has_moved(tx: Tx, invoice_ids: Sequence[UUID]) -> None:
    """Something was paid or credited on these invoices, or they are not to be paid any more."""
    found = await _waiting_cases(tx, await cases_of_invoices(tx, invoice_ids))
    for case, account in found:
        await _tell(tx, case, event=DueReduced(at=tx.now, due=case.debt.due), account=account)
    for case, account in await _open_cases(tx, [case for case, _ in found]):
        is_under_way = case.standing.under_way is not None
        if is_under_way and not await live_attempts_of(tx, [case.debt.invoice_id]):
            # Less has come than was asked for: the attempt has ended, and the debt has not.
            await _tell(tx, case, event=NotAttempted(at=tx.now), account=account)


async def methods_have_changed(tx: Tx, account_ids: Sequence[UUID]) -> None:
    """What these accounts would be charged with is another method now, or there is none any more."""
    for case, account in await _open_cases(tx, await cases_of_accounts(tx, account_ids)):
        if account.has_payment_method:
            await _tell(tx, case, event=MethodAdded(at=tx.now), account=account)
        elif not await has_method(tx, account, policy=case.policy):
            await _tell(tx, case, event=MethodRemoved(at=tx.now), account=account)


async def subscriptions_have_ended(tx: Tx, account_ids: Sequence[UUID]) -> None:
    """Nothing is pursued any more for subscriptions that are all over."""
    found = await cases_of_accounts(tx, account_ids)
    named = {one for case in found for one in case.subscription_ids}
    ended = await ended_subscriptions(tx, list(named)) if named else set()
    over = [one for one in found if one.subscription_ids and ended.issuperset(one.subscription_ids)]
    for case, account in await _open_cases(tx, over):
        await _tell(tx, case, event=Settled(at=tx.now, by=Settlement.CANCELED), account=account)


async def subscriptions_have_begun(tx: Tx, begun: Mapping[UUID, UUID]) -> None:
    """Subscriptions (by id, with their accounts) are served for money from now on: one that has owed
    since before is past due at once.
    """
    for case in await cases_of_accounts(tx, list(set(begun.values()))):
        for subscription_id in begun.keys() & set(case.subscription_ids):
            await mark_past_due(tx, subscription_id, since=case.standing.past_due_at)


async def pursue(
    tx: Tx, invoice_id: UUID, *, account_id: UUID, decline: Decline | None = None
) -> None:
    """Open a case for an invoice for whose money none waits yet.

    Where the account's data does not let that be done, the account is parked and the invoice asked
    for again when a person has looked.
    """
    if await cases_of_invoices(tx, [invoice_id]):
        return
    account = await lock_account(tx, account_id)
    try:
        async with tx.savepoint():
            opened = await open_case(tx, invoice_id, account=account, decline=decline)
    except UNBILLABLE as error:
        reason = f"{type(error).__name__}: {error}"
        _log.warning("invoice not pursued", invoice_id=str(invoice_id), reason=reason)
        if account.parked_reason is None:
            await park_account(tx, account_id=account_id, reason=reason)
        await ask_again(tx, invoice_id)
        return
    if opened is not None and opened.attempt_id is not None:
        collect_later(tx, opened.attempt_id)


async def ask_again(tx: Tx, invoice_id: UUID) -> None:
    """Have the money of a locked invoice asked for as on its due date, for which nobody waits."""
    await reschedule_collection(tx, {invoice_id: tx.now + _ASKED_AGAIN_AFTER})


async def _attempt_ended(tx: Tx, invoice_id: UUID, *, event: Declined | NotAttempted) -> bool:
    """An attempt that was made before another one took its place says nothing of that one; and a page
    that was left, of which the case was not told, is no attempt.
    """
    found = await cases_of_invoices(tx, [invoice_id])
    for case, account in await _open_cases(tx, found):
        is_under_way = case.standing.under_way is not None
        if isinstance(event, NotAttempted) and not is_under_way:
            continue
        if is_under_way and await live_attempts_of(tx, [invoice_id]):
            continue
        await _tell(tx, case, event=event, account=account)
    return bool(found)


async def _open_cases(tx: Tx, found: Sequence[DunningCase]) -> list[tuple[DunningCase, Account]]:
    waiting = await _waiting_cases(tx, found)
    return [pair for pair in waiting if pair[0].standing.state is CaseState.OPEN]


async def _waiting_cases(tx: Tx, found: Sequence[DunningCase]) -> list[tuple[DunningCase, Account]]:
    """Cases as they stand under the locks of their accounts."""
    if not found:
        return []
    account_ids = sorted({case.account_id for case in found})
    accounts = {account_id: await lock_account(tx, account_id) for account_id in account_ids}
    cases = await cases_by_id(tx, [case.id for case in found])
    return [(case, accounts[case.account_id]) for case in cases]


async def _tell(tx: Tx, case: DunningCase, *, event: CaseEvent, account: Account) -> None:
    """Whatever is told, a debt that has ended is settled by it."""
    settlement = settlement_of(case.debt)
    if settlement is not None:
        event = Settled(at=tx.now, by=settlement)
    attempt_id = await advance_or_set_aside(tx, case, event=event, account=account)
    if attempt_id is not None:
        collect_later(tx, attempt_id)
