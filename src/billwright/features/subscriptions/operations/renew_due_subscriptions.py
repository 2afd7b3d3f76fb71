"""How does a billing run work?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.park_account import park_account
from billwright.features.accounts.sql.reads import accounts_by_id
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.subscriptions.model import Subscription
from billwright.features.subscriptions.operations.apply_crossings import apply_crossings
from billwright.features.subscriptions.rules.boundary import cross_boundary
from billwright.features.subscriptions.sql.reads import due_subscriptions
from billwright.features.subscriptions.sql.writes import claim_due_accounts
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.errors import IntegrityViolation, ValueUnfit
from billwright.runtime.db.tx import Tx

BATCH_SIZE = 1000

_log = structlog.get_logger(__name__)

# What makes one account's data impossible to bill: the account is parked, the others go on.
_UNBILLABLE = (
    Refusal,
    ValueError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    IntegrityViolation,
    ValueUnfit,
)


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What one batch did; a batch that claimed nothing means that nothing is due any more."""

    accounts: int
    subscriptions: int
    invoices: int
    parked: int


async def renew_due_subscriptions(
    tx: Tx, *, as_of: datetime, test_clock_id: UUID | None, batch_size: int = BATCH_SIZE
) -> BatchReport:
    """Take one batch of accounts over the first boundary that is due for each of them.

    One query reads each kind of row, pure rules compute, one statement writes each kind. Running it
    again with the same `as_of` finds nothing; two workers share the accounts. An account whose data
    cannot be billed is parked with the reason, and the rest of the batch is billed.
    """
    claimed = await claim_due_accounts(
        tx, test_clock_id=test_clock_id, as_of=as_of, limit=batch_size
    )
    if not claimed:
        return BatchReport(0, 0, 0, 0)
    due = await due_subscriptions(tx, account_ids=claimed, as_of=as_of)
    accounts = await accounts_by_id(tx, claimed)
    try:
        async with tx.savepoint():
            invoices = await _renew(tx, due, accounts=accounts)
        return BatchReport(len(claimed), len(due), invoices, 0)
    except _UNBILLABLE:
        return await _renew_one_by_one(tx, due, accounts=accounts)


async def _renew(tx: Tx, due: Sequence[Subscription], *, accounts: dict[UUID, Account]) -> int:
    versions = await plan_versions(tx, [subscription.plan_version_id for subscription in due])
    crossings = [
        cross_boundary(subscription, versions[subscription.plan_version_id], now=tx.now)
        for subscription in due
    ]
    return len(await apply_crossings(tx, crossings, accounts=accounts, versions=versions))


async def _renew_one_by_one(
    tx: Tx, due: Sequence[Subscription], *, accounts: dict[UUID, Account]
) -> BatchReport:
    """The slow way, after the batch as a whole was refused: find the account that cannot be billed."""
    invoices = parked = 0
    for account_id in accounts:
        own = [subscription for subscription in due if subscription.account_id == account_id]
        try:
            async with tx.savepoint():
                invoices += await _renew(tx, own, accounts=accounts)
        except _UNBILLABLE as error:
            _log.warning("account parked", account_id=str(account_id), reason=str(error))
            await park_account(tx, account_id=account_id, reason=f"{type(error).__name__}: {error}")
            parked += 1
    return BatchReport(len(accounts), len(due), invoices, parked)
