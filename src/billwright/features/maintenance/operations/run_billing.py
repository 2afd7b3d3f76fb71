"""How does an operator bill a tenant up to an instant, or see what that would bring?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.claim_billing_days import claim_accounts_to_invoice
from billwright.features.accounts.sql.reads import accounts_by_id
from billwright.features.invoicing.model import Billed, DocumentKind
from billwright.features.invoicing.operations.invoice_due_accounts import (
    BATCH_SIZE,
    SETTLING,
    invoice_accounts,
    invoice_due_accounts,
)
from billwright.features.subscriptions.operations.take_all_due_steps import (
    Opening,
    take_all_due_steps,
)
from billwright.features.subscriptions.operations.take_due_steps import (
    BatchReport,
    claim_accounts_after,
    take_steps_of,
)
from billwright.runtime.db.tx import Tx

_FIRST = UUID(int=0)


@dataclass(slots=True)
class BillingReport:
    """What a run has done so far, or would do: `totals` by kind of document and currency, in minor
    units; charges that wait for a billing day (`pending`) or for more (`held`); parked accounts.
    """

    steps: int = 0
    documents: Counter[tuple[DocumentKind, str]] = field(default_factory=Counter)
    totals: Counter[tuple[DocumentKind, str]] = field(default_factory=Counter)
    drafts: int = 0
    pending: int = 0
    held: int = 0
    parked: dict[UUID, str] = field(default_factory=dict)

    def add(self, billed: Billed, *, steps: int, parked: tuple[tuple[UUID, str], ...]) -> None:
        self.steps += steps
        self.pending += billed.pending
        self.held += billed.held
        self.parked.update(parked)
        for document in billed.documents:
            if document.number is None:
                self.drafts += 1
                continue
            key = (document.kind, document.currency)
            self.documents[key] += 1
            self.totals[key] += document.total_minor


async def run_billing(
    opening: Opening, *, as_of: datetime, on_batch: Callable[[BillingReport], None]
) -> BillingReport:
    """Bill everything of a tenant that is due by `as_of`; tells `on_batch` after each batch.

    `opening` opens a transaction for each batch, which is one commit: a run that is stopped goes on
    where it was when it is started again, and several share the accounts. Accounts on test clocks have
    a time of their own and are left out.
    """
    report = BillingReport()

    def add(batch: BatchReport) -> None:
        report.add(batch.billed, steps=batch.steps, parked=batch.parked)
        on_batch(report)

    await take_all_due_steps(opening, as_of=as_of, test_clock_id=None, on_batch=add)
    while True:
        async with opening() as tx:
            due = await invoice_due_accounts(tx, as_of=as_of, test_clock_id=None)
        if not due.accounts:
            return report
        report.add(due.billed, steps=0, parked=due.parked)
        on_batch(report)


async def rehearse_billing(
    rehearsing: Opening, *, as_of: datetime, on_batch: Callable[[BillingReport], None]
) -> BillingReport:
    """What `run_billing` would do, by doing it in transactions that are rolled back. `rehearsing` opens
    such a transaction; nothing is held for longer than a batch.
    """
    report = BillingReport()
    for rehearse in (_rehearse_steps, _rehearse_billing_days):
        after: UUID | None = _FIRST
        while after is not None:
            async with rehearsing() as tx:
                after = await rehearse(tx, report, after=after, as_of=as_of)
            on_batch(report)
    return report


async def _rehearse_steps(
    tx: Tx, report: BillingReport, *, after: UUID, as_of: datetime
) -> UUID | None:
    """A batch of the accounts that have something due and do not have their billing day."""
    claimed = await claim_accounts_after(tx, after, as_of=as_of)
    if not claimed:
        return None
    accounts = await accounts_by_id(tx, claimed)
    others = [one for one in claimed if not _has_billing_day(accounts[one], as_of=as_of)]
    await _take_all_steps(tx, report, account_ids=others, as_of=as_of)
    return claimed[-1]


async def _rehearse_billing_days(
    tx: Tx, report: BillingReport, *, after: UUID, as_of: datetime
) -> UUID | None:
    accounts = await claim_accounts_to_invoice(
        tx, as_of=as_of - SETTLING, test_clock_id=None, limit=BATCH_SIZE, after=after
    )
    if not accounts:
        return None
    await _take_all_steps(tx, report, account_ids=[account.id for account in accounts], as_of=as_of)
    due = await invoice_accounts(
        tx, [account for account in accounts if account.id not in report.parked]
    )
    report.add(due.billed, steps=0, parked=due.parked)
    return accounts[-1].id


def _has_billing_day(account: Account, *, as_of: datetime) -> bool:
    return account.next_invoice_at is not None and account.next_invoice_at <= as_of - SETTLING


async def _take_all_steps(
    tx: Tx, report: BillingReport, *, account_ids: Sequence[UUID], as_of: datetime
) -> None:
    while account_ids:
        batch = await take_steps_of(tx, account_ids, as_of=as_of)
        report.add(batch.billed, steps=batch.steps, parked=batch.parked)
        parked = {account_id for account_id, _ in batch.parked}
        account_ids = [one for one in account_ids if one not in parked]
        if not batch.steps:
            return
