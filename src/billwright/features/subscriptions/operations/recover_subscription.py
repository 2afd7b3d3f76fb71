"""What happens to a subscription when the payment that was missing has come?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.accounts.operations.park_account import UNBILLABLE, park_account
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.subscriptions.model import Subscription, SubscriptionState
from billwright.features.subscriptions.operations.apply_transitions import apply_transitions
from billwright.features.subscriptions.operations.gather_facts import Question, gather_facts
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.features.subscriptions.rules.nonpayment import (
    recover_from_past_due,
    recover_from_unpaid,
    recover_when_billable,
)
from billwright.features.subscriptions.sql.reads import account_of, subscription_by_id
from billwright.runtime.db.tx import Tx


async def recover_subscription(tx: Tx, subscription_id: UUID) -> bool:
    """Make a subscription active again that was past due or unpaid; false for any other, and for one
    whose end has come.

    One that was past due was served all the time: nothing is billed, and the billing run may be late.
    An unpaid one goes on with its period if that still runs; else a new one begins now and is billed.
    Where that cannot be billed, the account is parked, and the subscription comes back with the first
    billing run that can: money is recorded whatever it is worth to the rest. Refuses:
    `subscription_unknown`.
    """
    account = await lock_account(tx, await account_of(tx, subscription_id))
    subscription = await subscription_by_id(tx, subscription_id)
    if not LIFECYCLE.allows(subscription.state, Action.RECOVER):
        return False
    if subscription.state is SubscriptionState.UNPAID:
        return await _recover_unpaid(tx, subscription, account=account)
    versions = await plan_versions(tx, [subscription.plan_version_id])
    version = versions[subscription.plan_version_id]
    transition = recover_from_past_due(subscription, version, now=tx.now)
    await apply_transitions(tx, [transition], accounts={account.id: account})
    return True


async def _recover_unpaid(tx: Tx, subscription: Subscription, *, account: Account) -> bool:
    cancel_at = subscription.cancellation.at
    if cancel_at is not None and cancel_at <= tx.now:
        return False
    if account.parked_reason is None:
        try:
            async with tx.savepoint():
                await _go_on(tx, subscription, account=account)
            return True
        except UNBILLABLE as error:
            reason = f"{type(error).__name__}: {error}"
            await park_account(tx, account_id=account.id, reason=reason)
    versions = await plan_versions(tx, [subscription.plan_version_id])
    version = versions[subscription.plan_version_id]
    noted = recover_when_billable(subscription, version, now=tx.now)
    if noted is not None:
        await apply_transitions(tx, [noted], accounts={account.id: account})
    return True


async def _go_on(tx: Tx, subscription: Subscription, *, account: Account) -> None:
    accounts: dict[UUID, Account] = {account.id: account}
    facts = await gather_facts(tx, [Question(subscription, tx.now)], accounts=accounts)
    transition = recover_from_unpaid(subscription, facts[subscription.id], at=tx.now, now=tx.now)
    await apply_transitions(tx, [transition], accounts=accounts)
