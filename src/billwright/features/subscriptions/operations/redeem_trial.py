"""Has a customer had its trial of a plan?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.subscriptions.errors import (
    trial_already_used,
    trial_used_with_payment_method,
)
from billwright.features.subscriptions.model import SubscriptionState
from billwright.features.subscriptions.rules.transition import Transition
from billwright.features.subscriptions.rules.trial_redemption import email_key
from billwright.features.subscriptions.sql.reads_fingerprints import is_had_with_method
from billwright.features.subscriptions.sql.reads_trials import trial_redeemed_at
from billwright.features.subscriptions.sql.writes_fingerprints import insert_trial_fingerprints
from billwright.features.subscriptions.sql.writes_trials import (
    delete_trial_redemptions,
    insert_allowed_redemption,
    insert_trial_redemptions,
)
from billwright.kernel.calendar import local_date
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import Tx


async def redeem_trial(
    tx: Tx, subscription_id: UUID, *, account: Account, plan_code: str, is_allowed: bool
) -> Refusal | None:
    """Note that a customer has its trial of a plan now; returns why it has none, and then notes nothing.
    A customer is an account, whoever reads the mail of its address, and whoever pays with what it has
    left. One that a person has allowed is had in any case.
    """
    mine = _redemption(
        tx, subscription_id, account=account, plan_code=plan_code, is_allowed=is_allowed
    )
    if not await insert_trial_redemptions(tx, [mine]):
        if not is_allowed:
            return await _had_before(tx, account, plan_code=plan_code)
        await insert_allowed_redemption(
            tx, subscription_id, account_id=account.id, plan_code=plan_code
        )
    await insert_trial_fingerprints(tx, [subscription_id])
    if is_allowed or not await is_had_with_method(tx, account.id, plan_code=plan_code):
        return None
    await delete_trial_redemptions(tx, [subscription_id])
    return trial_used_with_payment_method(plan_code=plan_code)


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
        one
        for one in transitions
        if one.after.state is SubscriptionState.TRIALING
        and one.after.plan_version_id != one.before.plan_version_id
    ]
    if not moved:
        return
    had = [
        _redemption(
            tx,
            one.after.id,
            account=accounts[one.after.account_id],
            plan_code=one.version.plan_code,
            is_allowed=False,
        )
        for one in moved
    ]
    await insert_trial_redemptions(tx, had)
    await insert_trial_fingerprints(tx, [one.after.id for one in moved])


async def _had_before(tx: Tx, account: Account, *, plan_code: str) -> Refusal:
    redeemed_at = await trial_redeemed_at(
        tx, account_id=account.id, email_key=email_key(account.email), plan_code=plan_code
    )
    return trial_already_used(
        plan_code=plan_code, redeemed_on=local_date(redeemed_at or tx.now, account.zone)
    )


def _redemption(
    tx: Tx, subscription_id: UUID, *, account: Account, plan_code: str, is_allowed: bool
) -> dict[str, object]:
    return {
        "subscription_id": subscription_id,
        "plan_code": plan_code,
        "account_id": account.id,
        "email_key": email_key(account.email),
        "redeemed_at": tx.now,
        "is_allowed": is_allowed,
    }
