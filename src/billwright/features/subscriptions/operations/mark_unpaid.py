"""What happens to a subscription whose payment was given up on?"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.accounts.operations.park_account import UNBILLABLE, park_account
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.subscriptions.model import Subscription
from billwright.features.subscriptions.operations.apply_transitions import apply_transitions
from billwright.features.subscriptions.operations.gather_facts import Question, gather_facts
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.features.subscriptions.rules.nonpayment import (
    become_unpaid,
    become_unpaid_unbilled,
)
from billwright.features.subscriptions.sql.reads import account_of, subscription_by_id
from billwright.runtime.db.tx import Tx


async def mark_unpaid(tx: Tx, subscription_id: UUID) -> bool:
    """End the service of a subscription that is past due, without ending it; false for any other.

    What ran in arrears is billed, up to where the billing run has brought it: what is late is not
    renewed at the very moment at which it is given up. Where that cannot be billed, the account is
    parked for a person to look at, and the service ends all the same. Refuses: `subscription_unknown`.
    """
    account = await lock_account(tx, await account_of(tx, subscription_id))
    subscription = await subscription_by_id(tx, subscription_id)
    if not LIFECYCLE.allows(subscription.state, Action.MARK_UNPAID):
        return False
    at = min(tx.now, subscription.next_action_at or tx.now)
    if account.parked_reason is None:
        try:
            async with tx.savepoint():
                await _stop(tx, subscription, account=account, at=at)
            return True
        except UNBILLABLE as error:
            reason = f"{type(error).__name__}: {error}"
            await park_account(tx, account_id=account.id, reason=reason)
    versions = await plan_versions(tx, [subscription.plan_version_id])
    version = versions[subscription.plan_version_id]
    stopped = become_unpaid_unbilled(subscription, version, at=at, now=tx.now)
    await apply_transitions(tx, [stopped], accounts={account.id: account})
    return True


async def _stop(tx: Tx, subscription: Subscription, *, account: Account, at: datetime) -> None:
    accounts: dict[UUID, Account] = {account.id: account}
    facts = await gather_facts(tx, [Question(subscription, at)], accounts=accounts)
    stopped = become_unpaid(subscription, facts[subscription.id], at=at, now=tx.now)
    await apply_transitions(tx, [stopped], accounts=accounts)
