"""How is a subscription paused and resumed?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billwright.features.subscriptions.errors import resumes_at_invalid
from billwright.features.subscriptions.model import Commanded, PauseProration
from billwright.features.subscriptions.operations.open_subscription import open_subscription
from billwright.features.subscriptions.rules.pausing import pause, resume
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseSubscription:
    """Stop service and billing now, until somebody resumes it or `resumes_at` comes. `effective_at` is
    the instant that a preview reckoned with.
    """

    subscription_id: UUID
    proration: PauseProration = PauseProration.NONE
    resumes_at: datetime | None = None
    effective_at: datetime | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeSubscription:
    """Go on with a paused subscription now. `effective_at` is the instant that a preview reckoned
    with.
    """

    subscription_id: UUID
    effective_at: datetime | None = None
    expected_version: int | None = None


async def pause_subscription(tx: Tx, command: PauseSubscription) -> Commanded:
    """Refuses: `subscription_unknown`, `version_stale`, `account_parked`, `state_forbids`,
    `resumes_at_invalid`, `effective_at_invalid`.
    """
    opened = await open_subscription(
        tx, command.subscription_id, expected_version=command.expected_version
    )
    tx.audit(
        "subscription.pause",
        subject_type="subscription",
        subject_id=command.subscription_id,
        details=command,
    )
    if command.resumes_at is not None and command.resumes_at <= tx.now:
        raise resumes_at_invalid(pointer="/resumes_at", resumes_at=command.resumes_at.isoformat())
    facts, at = await opened.facts_since_last_change(tx, at=command.effective_at)
    transition = pause(
        opened.subscription,
        facts,
        at=at,
        proration=command.proration,
        resumes_at=command.resumes_at,
        now=tx.now,
    )
    return await opened.apply(tx, transition)


async def resume_subscription(tx: Tx, command: ResumeSubscription) -> Commanded:
    """Refuses: `subscription_unknown`, `version_stale`, `account_parked`, `state_forbids`."""
    opened = await open_subscription(
        tx, command.subscription_id, expected_version=command.expected_version
    )
    tx.audit(
        "subscription.resume",
        subject_type="subscription",
        subject_id=command.subscription_id,
        details=command,
    )
    facts, at = await opened.facts_since_last_change(tx, at=command.effective_at)
    return await opened.apply(tx, resume(opened.subscription, facts, at=at, now=tx.now))
