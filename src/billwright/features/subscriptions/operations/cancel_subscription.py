"""How does a subscription end?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from billwright.features.accounts.errors import account_parked
from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.catalog.model import PlanVersion
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.subscriptions.errors import version_stale
from billwright.features.subscriptions.events import SubscriptionCancellationScheduled
from billwright.features.subscriptions.model import (
    CancellationMode,
    CancellationReason,
    Subscription,
)
from billwright.features.subscriptions.operations.apply_crossings import apply_crossings
from billwright.features.subscriptions.rules.boundary import cross_boundary, end_at
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.features.subscriptions.rules.next_action import next_action_at
from billwright.features.subscriptions.sql.reads import account_of, subscription_by_id
from billwright.features.subscriptions.sql.writes import update_subscriptions
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSubscription:
    """End a subscription now or at the end of its period.

    `expected_version` refuses the command when someone else changed the subscription first.
    """

    subscription_id: UUID
    mode: CancellationMode
    reason: CancellationReason | None = None
    comment: str | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class Canceled:
    """The subscription as the command left it, with the terms it was sold under."""

    subscription: Subscription
    version: PlanVersion


async def cancel_subscription(tx: Tx, command: CancelSubscription) -> Canceled:
    """Cancel a subscription. What was paid in advance is not refunded; what runs in arrears is
    invoiced up to the end. A cancellation that is already scheduled may be brought forward.

    Refuses: `subscription_unknown`, `version_stale`, `state_forbids`, `account_parked`.
    """
    account = await lock_account(tx, await account_of(tx, command.subscription_id))
    subscription = await subscription_by_id(tx, command.subscription_id)
    if command.expected_version not in {None, subscription.version}:
        raise version_stale(expected=command.expected_version, actual=subscription.version)
    versions = await plan_versions(tx, [subscription.plan_version_id])
    version = versions[subscription.plan_version_id]
    tx.audit(
        "subscription.cancel",
        subject_type="subscription",
        subject_id=subscription.id,
        details=command,
    )
    asked = replace(
        await _caught_up(tx, subscription, account=account, version=version),
        canceled_at=tx.now,
        cancellation_reason=command.reason,
        cancellation_comment=command.comment,
    )
    if command.mode is CancellationMode.PERIOD_END:
        return Canceled(await _schedule(tx, asked), version)
    crossing = end_at(replace(asked, cancel_at=tx.now), version, at=tx.now, now=tx.now)
    await apply_crossings(tx, [crossing], accounts={account.id: account}, versions=versions)
    return Canceled(crossing.after, version)


async def _caught_up(
    tx: Tx, subscription: Subscription, *, account: Account, version: PlanVersion
) -> Subscription:
    """The subscription in the period that contains now. The billing run may be late: periods that
    have begun are owed whether or not it came in time. Refuses `account_parked` when they cannot be
    billed.
    """
    while subscription.next_action_at is not None and subscription.next_action_at <= tx.now:
        if account.parked_reason is not None:
            raise account_parked(account_id=account.id, reason=account.parked_reason)
        crossing = cross_boundary(subscription, version, now=tx.now)
        await apply_crossings(
            tx, [crossing], accounts={account.id: account}, versions={version.id: version}
        )
        subscription = crossing.after
    return subscription


async def _schedule(tx: Tx, subscription: Subscription) -> Subscription:
    state = LIFECYCLE.next(subscription.state, Action.SCHEDULE_CANCELLATION)
    cancel_at = subscription.period.end
    scheduled = replace(
        subscription,
        state=state,
        cancel_at=cancel_at,
        next_action_at=next_action_at(state=state, period=subscription.period, cancel_at=cancel_at),
        version=subscription.version + 1,
        updated_at=tx.now,
    )
    await update_subscriptions(tx, [scheduled])
    tx.publish(
        SubscriptionCancellationScheduled(
            subject_id=scheduled.id,
            account_id=scheduled.account_id,
            cancel_at=cancel_at,
            reason=scheduled.cancellation_reason,
        )
    )
    return scheduled
