"""How does a subscription end?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from billwright.features.catalog.model import PlanTerms
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.subscriptions.errors import cancel_at_invalid
from billwright.features.subscriptions.events import SubscriptionCancellationScheduled
from billwright.features.subscriptions.model import (
    Cancellation,
    CancellationFeedback,
    CancellationMode,
    CancellationProration,
    CancellationReason,
    Commanded,
    Subscription,
    SubscriptionState,
)
from billwright.features.subscriptions.operations.open_subscription import (
    Opened,
    open_subscription,
)
from billwright.features.subscriptions.rules.ending import (
    end_at,
    end_of_period_at,
    first_permitted_end,
)
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.runtime.db.tx import Tx

_STANDING_STILL = frozenset({SubscriptionState.PAUSED, SubscriptionState.UNPAID})


class Terms(StrEnum):
    """Whether the plan's notice and commitment hold for this cancellation, or the seller waives them."""

    OBSERVE = "observe"
    WAIVE = "waive"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSubscription:
    """End a subscription now, at the end of its period, or at `cancel_at`; never before the plan's
    terms permit it, unless they are waived.

    `proration` says what becomes of the unused part that was invoiced; `bills_final_usage` whether
    usage that was not invoiced yet is. `expected_version` refuses the command when someone else
    changed the subscription first. `effective_at` is, for an end now, the instant that a preview
    reckoned with.
    """

    subscription_id: UUID
    mode: CancellationMode
    cancel_at: datetime | None = None
    proration: CancellationProration = CancellationProration.NONE
    bills_final_usage: bool = True
    terms: Terms = Terms.OBSERVE
    reason: CancellationReason = CancellationReason.REQUESTED
    feedback: CancellationFeedback | None = None
    comment: str | None = None
    effective_at: datetime | None = None
    expected_version: int | None = None


async def cancel_subscription(tx: Tx, command: CancelSubscription) -> Commanded:
    """Cancel a subscription. What runs in arrears is invoiced up to the end. A request is accepted
    whatever the notice; it takes effect at the first permitted instant. A cancellation that is
    already scheduled may be moved. A pending change is dropped.

    Refuses: `subscription_unknown`, `version_stale`, `state_forbids`, `account_parked`,
    `cancel_at_invalid`, `effective_at_invalid`.
    """
    opened = await open_subscription(
        tx, command.subscription_id, expected_version=command.expected_version
    )
    tx.audit(
        "subscription.cancel",
        subject_type="subscription",
        subject_id=command.subscription_id,
        details=command,
    )
    subscription = opened.subscription
    LIFECYCLE.next(subscription.state, Action.CANCEL)
    versions = await plan_versions(tx, [subscription.plan_version_id])
    terms = versions[subscription.plan_version_id].terms
    end = _end(command, subscription, terms=terms, now=tx.now)
    if end > tx.now:
        asked = replace(
            subscription,
            cancellation=_cancellation(
                command, at=end, period_end=subscription.period.end, now=tx.now
            ),
        )
        return await _schedule(tx, opened, asked=asked)
    facts, at = await opened.facts_since_last_change(tx, at=command.effective_at)
    asked = replace(
        subscription,
        cancellation=_cancellation(command, at=at, period_end=subscription.period.end, now=tx.now),
    )
    transition = end_at(asked, facts, at=at, reason=command.reason, now=tx.now)
    return await opened.apply(tx, replace(transition, before=subscription))


def _end(
    command: CancelSubscription, subscription: Subscription, *, terms: PlanTerms, now: datetime
) -> datetime:
    """When it will end. What has not begun to be served ends at once whatever is asked for."""
    if subscription.state in {SubscriptionState.SCHEDULED, SubscriptionState.INCOMPLETE}:
        return now
    permitted = now
    if command.terms is Terms.OBSERVE:
        permitted = first_permitted_end(subscription, terms, asked_at=now)
    match command.mode:
        case CancellationMode.NOW:
            return permitted
        case CancellationMode.PERIOD_END:
            running = subscription.state not in _STANDING_STILL
            return end_of_period_at(subscription, permitted) if running else permitted
        case CancellationMode.AT:
            if command.cancel_at is None:
                raise cancel_at_invalid(pointer="/cancel_at", problem="An instant is needed.")
            if command.cancel_at <= now:
                raise cancel_at_invalid(
                    pointer="/cancel_at", problem=f"{command.cancel_at} is not in the future."
                )
            return max(command.cancel_at, permitted)


def _cancellation(
    command: CancelSubscription, *, at: datetime, period_end: datetime, now: datetime
) -> Cancellation:
    return Cancellation(
        mode=command.mode,
        at=at,
        at_period_end=command.mode is CancellationMode.PERIOD_END and at == period_end,
        requested_at=now,
        reason=command.reason,
        feedback=command.feedback,
        comment=command.comment,
        proration=command.proration,
        bills_final_usage=command.bills_final_usage,
    )


async def _schedule(tx: Tx, opened: Opened, *, asked: Subscription) -> Commanded:
    cancel_at = asked.cancellation.at
    assert cancel_at is not None  # noqa: S101 - the caller has set it
    scheduled = replace(
        asked,
        state=LIFECYCLE.next(asked.state, Action.SCHEDULE_CANCELLATION),
        pending_change=None,
    )
    event = SubscriptionCancellationScheduled(
        subject_id=scheduled.id,
        account_id=scheduled.account_id,
        cancel_at=cancel_at,
        reason=scheduled.cancellation.reason,
        feedback=scheduled.cancellation.feedback,
    )
    return await opened.note(
        tx, scheduled, action="subscription.schedule_cancellation", event=event
    )
