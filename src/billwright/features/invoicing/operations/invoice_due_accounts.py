"""What happens on an account's billing day?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.claim_billing_days import (
    advance_billing_days,
    claim_accounts_to_invoice,
)
from billwright.features.accounts.operations.park_account import UNBILLABLE, park_account
from billwright.features.accounts.sql.reads import earliest_billing_day
from billwright.features.invoicing.model import Billed, InvoiceTiming
from billwright.features.invoicing.operations.bill_charges import bill_pending_charges
from billwright.runtime.db.tx import Tx

BATCH_SIZE = 1000

# Periods begin at the same midnight as the day: what is charged for them is to be on its invoices.
SETTLING = timedelta(hours=1)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DueReport:
    """What one batch did; a batch that claimed nothing means that no billing day is due any more."""

    accounts: int = 0
    billed: Billed = Billed()
    parked: tuple[tuple[UUID, str], ...] = ()


async def invoice_due_accounts(
    tx: Tx, *, as_of: datetime, test_clock_id: UUID | None, batch_size: int = BATCH_SIZE
) -> DueReport:
    """Invoice what waits for the accounts of one batch whose billing day has begun (an hour ago), and
    let each have its next one. Running it again with the same `as_of` finds nothing; two workers
    share the accounts. An account whose data cannot be billed is parked with the reason.
    """
    accounts = await claim_accounts_to_invoice(
        tx, as_of=as_of - SETTLING, test_clock_id=test_clock_id, limit=batch_size
    )
    if not accounts:
        return DueReport()
    return await invoice_accounts(tx, accounts)


async def invoice_accounts(tx: Tx, accounts: Sequence[Account]) -> DueReport:
    """Invoice what waits for these accounts, which are locked and whose billing day has begun."""
    try:
        async with tx.savepoint():
            billed = await _invoice(tx, accounts)
        return DueReport(len(accounts), billed)
    except UNBILLABLE:
        return await _invoice_one_by_one(tx, accounts)


async def next_billing_day(tx: Tx, test_clock_id: UUID) -> datetime | None:
    """When there is something to invoice next on a test clock."""
    begins_at = await earliest_billing_day(tx, test_clock_id)
    return None if begins_at is None else begins_at + SETTLING


async def _invoice(tx: Tx, accounts: Sequence[Account]) -> Billed:
    await advance_billing_days(tx, accounts, now=tx.now)
    return await bill_pending_charges(tx, accounts, timing=InvoiceTiming.BY_POLICY)


async def _invoice_one_by_one(tx: Tx, accounts: Sequence[Account]) -> DueReport:
    """The slow way, after the batch as a whole was refused: find the account that cannot be billed."""
    billed, parked = Billed(), []
    for account in accounts:
        try:
            async with tx.savepoint():
                billed += await _invoice(tx, [account])
        except UNBILLABLE as error:
            reason = f"{type(error).__name__}: {error}"
            _log.warning("account parked", account_id=str(account.id), reason=reason)
            await park_account(tx, account_id=account.id, reason=reason)
            parked.append((account.id, reason))
    return DueReport(len(accounts), billed, tuple(parked))
