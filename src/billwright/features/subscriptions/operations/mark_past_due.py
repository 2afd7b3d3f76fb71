"""What happens to a subscription when a payment for it is missing?"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.subscriptions.model import SubscriptionState
from billwright.features.subscriptions.operations.apply_transitions import apply_transitions
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.features.subscriptions.rules.nonpayment import become_past_due
from billwright.features.subscriptions.sql.reads import account_of, subscription_by_id
from billwright.runtime.db.tx import Tx


async def mark_past_due(tx: Tx, subscription_id: UUID, *, since: datetime) -> bool:
    """Note that a payment is missing since an instant; false when the lifecycle has no room for that
    now, as in a trial, which owes nothing yet, or in a pause. Nothing is done for one that is past due
    already: it keeps the instant at which that began.

    It neither bills nor brings the subscription up to now, so that an account whose data cannot be
    billed does not stand in the way. Refuses: `subscription_unknown`.
    """
    account = await lock_account(tx, await account_of(tx, subscription_id))
    subscription = await subscription_by_id(tx, subscription_id)
    if subscription.state is SubscriptionState.PAST_DUE:
        return True
    if not LIFECYCLE.allows(subscription.state, Action.MARK_PAST_DUE):
        return False
    versions = await plan_versions(tx, [subscription.plan_version_id])
    version = versions[subscription.plan_version_id]
    transition = become_past_due(subscription, version, since=since, now=tx.now)
    await apply_transitions(tx, [transition], accounts={account.id: account})
    return True
