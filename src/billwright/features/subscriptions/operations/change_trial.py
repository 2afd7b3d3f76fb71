"""How is a trial extended, or ended before its time?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billwright.features.subscriptions.model import Commanded
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
    """Refuses: `subscription_unknown`, `version_stale`, `account_parked`, `state_forbids`."""
    opened = await _open(tx, command, action="subscription.end_trial")
    LIFECYCLE.next(opened.subscription.state, Action.END_TRIAL)
    facts, at = await opened.facts_since_last_change(tx, at=command.effective_at)
    return await opened.apply(tx, trial.end_trial(opened.subscription, facts, at=at, now=tx.now))


async def _open(tx: Tx, command: ExtendTrial | EndTrial, *, action: str) -> Opened:
    opened = await open_subscription(
        tx, command.subscription_id, expected_version=command.expected_version
    )
    tx.audit(
        action, subject_type="subscription", subject_id=command.subscription_id, details=command
    )
    return opened
