"""How is a trial extended, ended before its time, or turned into the paid life?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billwright.features.catalog.model import PlanVersion
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.subscriptions.model import Commanded, Subscription
from billwright.features.subscriptions.operations.open_subscription import (
    Opened,
    open_subscription,
)
from billwright.features.subscriptions.rules import trial
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendTrial:
    """Move the end of a trial forward to `trial_end`."""

    subscription_id: UUID
    trial_end: datetime
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndTrial:
    """End a trial now: the paid life begins, or what the subscription says without a payment method.
    `effective_at` is the instant that a preview reckoned with.
    """

    subscription_id: UUID
    effective_at: datetime | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertTrial:
    """Begin the paid life now, with or without a payment method. `effective_at` is the instant that a
    preview reckoned with.
    """

    subscription_id: UUID
    effective_at: datetime | None = None
    expected_version: int | None = None


async def extend_trial(tx: Tx, command: ExtendTrial) -> Commanded:
    """Refuses: `subscription_unknown`, `version_stale`, `account_parked`, `state_forbids`,
    `trial_end_invalid`.
    """
    opened = await _open(tx, command, action="subscription.extend_trial")
    facts = await opened.facts(tx, at=tx.now)
    return await opened.apply(
        tx, trial.extend_trial(opened.subscription, facts, end=command.trial_end, now=tx.now)
    )


async def end_trial(tx: Tx, command: EndTrial) -> Commanded:
    """What was to come with its end comes now, a cancellation and a change as well.

    Refuses: `subscription_unknown`, `version_stale`, `account_parked`, `state_forbids`,
    `effective_at_invalid`.
    """
    opened = await _open(tx, command, action="subscription.end_trial")
    subscription = opened.subscription
    LIFECYCLE.next(subscription.state, Action.END_TRIAL)
    facts, at = await opened.facts_since_last_change(tx, at=command.effective_at)
    following = await _following(tx, subscription)
    transition = trial.end_trial_early(subscription, facts, following=following, at=at, now=tx.now)
    return await opened.apply(tx, transition)


async def convert_trial(tx: Tx, command: ConvertTrial) -> Commanded:
    """Refuses: `subscription_unknown`, `version_stale`, `account_parked`, `state_forbids`,
    `trial_to_be_canceled`, `effective_at_invalid`.
    """
    opened = await _open(tx, command, action="subscription.convert_trial")
    subscription = opened.subscription
    LIFECYCLE.next(subscription.state, Action.END_TRIAL)
    facts, at = await opened.facts_since_last_change(tx, at=command.effective_at)
    following = await _following(tx, subscription)
    transition = trial.convert_trial(subscription, facts, following=following, at=at, now=tx.now)
    return await opened.apply(tx, transition)


async def _following(tx: Tx, subscription: Subscription) -> PlanVersion:
    """The version that it has after a change that is pending."""
    pending = subscription.pending_change
    version_id = pending.plan_version_id if pending else subscription.plan_version_id
    return (await plan_versions(tx, [version_id]))[version_id]


async def _open(tx: Tx, command: ExtendTrial | EndTrial | ConvertTrial, *, action: str) -> Opened:
    opened = await open_subscription(
        tx, command.subscription_id, expected_version=command.expected_version
    )
    tx.audit(
        action, subject_type="subscription", subject_id=command.subscription_id, details=command
    )
    return opened
