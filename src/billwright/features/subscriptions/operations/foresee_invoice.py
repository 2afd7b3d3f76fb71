"""What will be on an account's next invoice, and when does it come?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from billwright.features.accounts.errors import account_parked
from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.invoicing.model import (
    Billed,
    Invoice,
    InvoiceLine,
    InvoiceTiming,
    IssuedInvoice,
)
from billwright.features.invoicing.operations.bill_charges import bill_pending_charges
from billwright.features.invoicing.operations.invoice_due_accounts import (
    SETTLING,
    invoice_accounts,
)
from billwright.features.invoicing.sql.reads import invoice_by_id, lines_of, pending_charges
from billwright.features.subscriptions.operations.take_due_steps import take_steps_of
from billwright.features.subscriptions.sql.reads import next_action_of
from billwright.runtime.db.tx import Tx

# A subscription may owe nothing for a while; what comes after so many instants is too far away to say.
_MOST_INSTANTS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """The next documents with their lines, and when they come: at no instant where they wait for somebody
    to ask for them. There are several for several currencies, and none where nothing is to come.
    """

    at: datetime | None = None
    documents: tuple[tuple[Invoice, tuple[InvoiceLine, ...]], ...] = ()


async def foresee_invoice(
    tx: Tx, account_id: UUID, *, subscription_id: UUID | None = None
) -> Upcoming:
    """The account's next documents or, with a subscription, the next ones that have a line of it, as
    things stand now: by making them at their instant and undoing that.

    Refuses: `account_unknown`, `account_parked` also where billing would park it.
    """
    account = await lock_account(tx, account_id)
    if account.parked_reason is not None:
        raise account_parked(account_id=account.id, reason=account.parked_reason)
    first = await _first_instant(tx, account, subscription_id=subscription_id)
    if first is None:
        return await _foresee_what_waits(tx, account, subscription_id=subscription_id)
    for_what = _Wanted(account_id, subscription_id, _MOST_INSTANTS)
    return await _foresee_from(tx, for_what, at=max(first, tx.now))


@dataclass(frozen=True, slots=True)
class _Wanted:
    account_id: UUID
    subscription_id: UUID | None
    instants_left: int


async def _foresee_from(tx: Tx, wanted: _Wanted, *, at: datetime) -> Upcoming:
    """What is made at an instant or, where nothing is, at the first one after it with something."""
    upcoming = Upcoming()
    async with tx.foreseeing(at):
        issued = await _bill(tx, wanted.account_id, at=at)
        documents = await _told(tx, issued, subscription_id=wanted.subscription_id)
        following = await _next_instant(tx, wanted.account_id)
        if documents:
            upcoming = Upcoming(at=at, documents=documents)
        elif following is not None and wanted.instants_left:
            rest = replace(wanted, instants_left=wanted.instants_left - 1)
            upcoming = await _foresee_from(tx, rest, at=max(at, following))
    return upcoming


async def _first_instant(
    tx: Tx, account: Account, *, subscription_id: UUID | None
) -> datetime | None:
    """When something of the account is due next. What waits for a document comes with whatever is next;
    a subscription of which nothing waits is on none before its own instant.
    """
    if subscription_id is None or account.next_invoice_at is not None:
        return await _next_instant(tx, account.id)
    waiting = await pending_charges(tx, [account.id])
    charges = [one.charge for each in waiting.values() for one in each]
    if any(charge.subscription_id == subscription_id for charge in charges):
        return await _next_instant(tx, account.id)
    return await next_action_of(tx, account.id, subscription_id=subscription_id)


async def _next_instant(tx: Tx, account_id: UUID) -> datetime | None:
    billing_day = (await account_by_id(tx, account_id)).next_invoice_at
    collected_at = None if billing_day is None else billing_day + SETTLING
    instants = (await next_action_of(tx, account_id), collected_at)
    return min((one for one in instants if one is not None), default=None)


async def _bill(tx: Tx, account_id: UUID, *, at: datetime) -> tuple[IssuedInvoice, ...]:
    """Everything that is billed of a locked account up to an instant."""
    billed, steps = Billed(), 1
    parked: tuple[tuple[UUID, str], ...] = ()
    while steps and not parked:
        batch = await take_steps_of(tx, [account_id], as_of=at)
        billed, steps, parked = billed + batch.billed, batch.steps, batch.parked
    account = await account_by_id(tx, account_id)
    if account.next_invoice_at is not None and account.next_invoice_at + SETTLING <= at:
        due = await invoice_accounts(tx, [account])
        billed, parked = billed + due.billed, (*parked, *due.parked)
    for _, reason in parked:
        raise account_parked(account_id=account_id, reason=reason)
    return billed.documents


async def _foresee_what_waits(
    tx: Tx, account: Account, *, subscription_id: UUID | None
) -> Upcoming:
    documents: tuple[tuple[Invoice, tuple[InvoiceLine, ...]], ...] = ()
    async with tx.foreseeing(tx.now):
        billed = await bill_pending_charges(tx, [account], timing=InvoiceTiming.AT_ONCE)
        documents = await _told(tx, billed.documents, subscription_id=subscription_id)
    return Upcoming(documents=documents)


async def _told(
    tx: Tx, issued: tuple[IssuedInvoice, ...], *, subscription_id: UUID | None
) -> tuple[tuple[Invoice, tuple[InvoiceLine, ...]], ...]:
    documents = [
        (await invoice_by_id(tx, one.id), tuple(await lines_of(tx, one.id))) for one in issued
    ]
    return tuple(
        (invoice, lines)
        for invoice, lines in documents
        if subscription_id is None or any(line.subscription_id == subscription_id for line in lines)
    )
