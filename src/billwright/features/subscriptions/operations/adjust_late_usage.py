"""How is usage billed that became known when its window had been billed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import structlog

from billwright.features.accounts.model import Account, AccountStatus
from billwright.features.accounts.operations.park_account import UNBILLABLE, park_account
from billwright.features.accounts.sql.reads import accounts_by_id
from billwright.features.invoicing.model import InvoiceDraft, InvoiceTiming, NewCharge
from billwright.features.invoicing.operations.bill_charges import bill_charges
from billwright.features.subscriptions.events import SubscriptionUsageAdjusted
from billwright.features.subscriptions.model import Subscription
from billwright.features.subscriptions.operations.leave_late_usage import leave_late_usage
from billwright.features.subscriptions.operations.recount_windows import Recount, recount_windows
from billwright.features.subscriptions.sql.writes_usage import upsert_billed_usage
from billwright.features.usage.model import LateUsage
from billwright.features.usage.operations.claim_late_usage import claim_late_usage
from billwright.kernel.currency import currency_of
from billwright.runtime.db.tx import Tx

_ACCOUNTS_AT_A_TIME = 100

_log = structlog.get_logger(__name__)


async def adjust_late_usage(tx: Tx, *, as_of: datetime, test_clock_id: UUID | None) -> int:
    """Count one batch of billed windows again, by the version of their meter and all that is known now.
    What has become another amount comes on the next invoice, or at once where none will come: the
    subscription has ended. Returns the number of accounts; running it again changes nothing.

    An account that cannot be billed is parked with the reason, and the others go on.
    """
    claimed = await claim_late_usage(
        tx, as_of=as_of, test_clock_id=test_clock_id, limit=_ACCOUNTS_AT_A_TIME
    )
    if not claimed.account_ids:
        return 0
    accounts = await accounts_by_id(tx, claimed.account_ids)
    try:
        async with tx.savepoint():
            await _adjust(tx, claimed.late, accounts=accounts)
    except UNBILLABLE:
        for account_id in claimed.account_ids:
            own = [one for one in claimed.late if one.account_id == account_id]
            await _adjust_or_park(tx, own, account=accounts[account_id])
    return len(claimed.account_ids)


async def _adjust_or_park(tx: Tx, late: Sequence[LateUsage], *, account: Account) -> None:
    try:
        async with tx.savepoint():
            await _adjust(tx, late, accounts={account.id: account})
    except UNBILLABLE as error:
        reason = f"{type(error).__name__}: {error}"
        _log.warning("account parked", account_id=str(account.id), reason=reason)
        await park_account(tx, account_id=account.id, reason=reason)


async def _adjust(tx: Tx, late: Sequence[LateUsage], *, accounts: Mapping[UUID, Account]) -> None:
    billed: list[Recount] = []
    left: list[Recount] = []
    for one in await recount_windows(tx, late):
        is_closed = accounts[one.subscription.account_id].status is AccountStatus.CLOSED
        (left if is_closed and one.charge is not None else billed).append(one)
    await _bill(tx, billed, accounts=accounts)
    await leave_late_usage(tx, left, late=late)


async def _bill(tx: Tx, recounts: Sequence[Recount], *, accounts: Mapping[UUID, Account]) -> None:
    if not recounts:
        return
    subscriptions: dict[UUID, Subscription] = {
        one.subscription.id: one.subscription for one in recounts
    }
    charges: dict[UUID, list[NewCharge]] = {}
    for one in recounts:
        if one.charge is not None:
            charges.setdefault(one.subscription.id, []).append(one.charge)
            _record(tx, one, charge=one.charge)
    await upsert_billed_usage(tx, [one.after for one in recounts])
    await bill_charges(
        tx,
        [
            _draft(subscriptions[one], own, account=accounts[subscriptions[one].account_id])
            for one, own in charges.items()
        ],
    )


def _draft(
    subscription: Subscription, charges: Sequence[NewCharge], *, account: Account
) -> InvoiceDraft:
    ended = subscription.ended_at is not None
    return InvoiceDraft(
        account=account,
        currency=currency_of(subscription.currency),
        charges=tuple(charges),
        reference=subscription.reference,
        timing=InvoiceTiming.AT_ONCE if ended else InvoiceTiming.LATER,
    )


def _record(tx: Tx, recount: Recount, *, charge: NewCharge) -> None:
    subscription, before, after = recount.subscription, recount.before, recount.after
    tx.publish(
        SubscriptionUsageAdjusted(
            subject_id=subscription.id,
            account_id=subscription.account_id,
            meter=after.meter,
            period_start=after.start,
            period_end=after.end,
            quantity_before=before.quantity,
            quantity=after.quantity,
            amount_minor=charge.amount_minor,
            currency=subscription.currency,
        )
    )
    tx.audit(
        "subscription.adjust_usage",
        subject_type="subscription",
        subject_id=subscription.id,
        details={"window": after.id, "amount_minor": charge.amount_minor},
    )
