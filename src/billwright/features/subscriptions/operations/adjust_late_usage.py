"""How is usage billed that became known when its window had been billed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import structlog

from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.park_account import UNBILLABLE, park_account
from billwright.features.accounts.sql.reads import accounts_by_id
from billwright.features.catalog.sql.reads import versions_of_components
from billwright.features.invoicing.model import InvoiceDraft, InvoiceTiming, NewCharge
from billwright.features.invoicing.operations.bill_charges import bill_charges
from billwright.features.subscriptions.events import SubscriptionUsageAdjusted
from billwright.features.subscriptions.model import BilledUsage, Subscription
from billwright.features.subscriptions.rules.late_usage import recounted
from billwright.features.subscriptions.sql.reads import subscriptions_by_id
from billwright.features.subscriptions.sql.reads_usage import billed_usage_within
from billwright.features.subscriptions.sql.writes_usage import upsert_billed_usage
from billwright.features.usage.model import LateUsage, UsageWindow, Used
from billwright.features.usage.operations.claim_late_usage import claim_late_usage
from billwright.features.usage.sql.reads import used_quantities
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
    changed = await _changed(tx, late)
    if not changed:
        return
    subscriptions = await subscriptions_by_id(tx, {billed.subscription_id for billed, _ in changed})
    versions = await versions_of_components(
        tx, list({billed.plan_component_id for billed, _ in changed})
    )
    kept: list[BilledUsage] = []
    charges: dict[UUID, list[NewCharge]] = {}
    for billed, used in changed:
        subscription = subscriptions[billed.subscription_id]
        after, charge = recounted(
            billed,
            used,
            version=versions[billed.plan_component_id],
            currency=currency_of(subscription.currency),
            cutoff=tx.now,
        )
        kept.append(after)
        if charge is not None:
            charges.setdefault(subscription.id, []).append(charge)
            _record(tx, subscription, charge=charge, before=billed, after=after)
    await upsert_billed_usage(tx, kept)
    await bill_charges(
        tx,
        [
            _draft(subscriptions[one], own, account=accounts[subscriptions[one].account_id])
            for one, own in charges.items()
        ],
    )


async def _changed(tx: Tx, late: Sequence[LateUsage]) -> list[tuple[BilledUsage, Used | None]]:
    """The windows whose events are others than those that were billed, with what they hold now."""
    billed = await billed_usage_within(
        tx, {one.subscription_id: (one.occurred_from, one.occurred_until) for one in late}
    )
    windows = [_window(key, one) for key, one in enumerate(billed)]
    found = await used_quantities(tx, windows, cutoff=None) if windows else {}
    pairs = [(one, found.get(key)) for key, one in enumerate(billed)]
    return [(one, used) for one, used in pairs if (used.digest if used else None) != one.digest]


def _window(key: int, billed: BilledUsage) -> UsageWindow:
    whole_start, whole_end = billed.basis.whole_start, billed.basis.whole_end
    return UsageWindow(
        key=key,
        subscription_id=billed.subscription_id,
        meter=billed.meter,
        start=billed.start,
        end=billed.end,
        period=whole_end - whole_start if whole_start and whole_end else None,
        version=billed.meter_version,
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


def _record(
    tx: Tx,
    subscription: Subscription,
    *,
    charge: NewCharge,
    before: BilledUsage,
    after: BilledUsage,
) -> None:
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
