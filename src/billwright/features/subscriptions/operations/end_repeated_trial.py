"""How does a trial end that was had before with the same way to pay?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.subscriptions.model import SubscriptionState
from billwright.features.subscriptions.operations.change_trial import EndTrial, end_trial
from billwright.features.subscriptions.sql.reads import account_of, subscription_by_id
from billwright.runtime.db.tx import Tx


async def end_repeated_trial(tx: Tx, subscription_id: UUID) -> bool:
    """End a trial now, unless it is over by itself; whether that was done.

    Refuses: `subscription_unknown`.
    """
    await lock_account(tx, await account_of(tx, subscription_id))
    subscription = await subscription_by_id(tx, subscription_id)
    if subscription.state is not SubscriptionState.TRIALING or subscription.period.end <= tx.now:
        return False
    await end_trial(tx, EndTrial(subscription_id=subscription_id))
    return True
