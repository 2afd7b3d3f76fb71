"""Has a customer had its trial of a plan?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.subscriptions.model import SubscriptionState
from billwright.features.subscriptions.rules.transition import Transition
from billwright.features.subscriptions.rules.trial_redemption import email_key
from billwright.features.subscriptions.sql.reads_trials import trial_redeemed_at
from billwright.features.subscriptions.sql.writes_trials import (
    delete_trial_redemptions,
    insert_trial_redemptions,
)
from billwright.runtime.db.tx import Tx


async def redeem_trial(
    tx: Tx, subscription_id: UUID, *, account: Account, plan_code: str
) -> datetime | None:
    """Note that a customer has its trial of a plan now; returns since when it had one before, and then
    notes nothing. A customer is an account, and whoever reads the mail of its address.
    """
    mine = _redemption(tx, subscription_id, account=account, plan_code=plan_code)
    if await insert_trial_redemptions(tx, [mine]):
        return None
    before = await trial_redeemed_at(
        tx, account_id=account.id, email_key=email_key(account.email), plan_code=plan_code
    )
    return before or tx.now


async def keep_trials(
    tx: Tx, transitions: Sequence[Transition], *, accounts: Mapping[UUID, Account]
) -> None:
    """A trial that never began was not had; one that went over to another plan is had of that as well."""
    never_begun = [
        one.after.id
        for one in transitions
        if one.after.trial.end is not None
        and one.after.ended_at is not None
        and one.after.ended_at < one.after.started_at
    ]
    if never_begun:
        await delete_trial_redemptions(tx, never_begun)
    moved = [
        _redemption(
            tx,
            one.after.id,
            account=accounts[one.after.account_id],
            plan_code=one.version.plan_code,
        )
        for one in transitions
        if one.after.state is SubscriptionState.TRIALING
        and one.after.plan_version_id != one.before.plan_version_id
    ]
    if moved:
        await insert_trial_redemptions(tx, moved)


def _redemption(
    tx: Tx, subscription_id: UUID, *, account: Account, plan_code: str
) -> dict[str, object]:
    return {
        "subscription_id": subscription_id,
        "plan_code": plan_code,
        "account_id": account.id,
        "email_key": email_key(account.email),
        "redeemed_at": tx.now,
    }
