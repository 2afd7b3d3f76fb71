"""How is a cancellation or a change undone that has not come true yet?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.subscriptions.errors import nothing_pending
from billwright.features.subscriptions.events import (
    SubscriptionCancellationUndone,
    SubscriptionChangeUndone,
)
from billwright.features.subscriptions.model import (
    Cancellation,
    CancellationState,
    Commanded,
    RequestedCancellation,
)
from billwright.features.subscriptions.operations.open_subscription import (
    Opened,
    open_subscription,
)
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE, Action
from billwright.features.subscriptions.sql.reads_cancellations import cancellation_by_id
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoCancellation:
    """Go on with a subscription whose end is scheduled."""

    subscription_id: UUID
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRequestedCancellation:
    """Go on with the subscription that a cancellation is about."""

    cancellation_id: UUID
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoChange:
    """Drop a change of a subscription that is pending."""

    subscription_id: UUID
    expected_version: int | None = None


async def undo_cancellation(tx: Tx, command: UndoCancellation) -> Commanded:
    """Refuses: `subscription_unknown`, `version_stale`, `account_parked`, `state_forbids`,
    `nothing_pending`.
    """
    opened = await _open(tx, command, action="subscription.undo_cancellation")
    before = opened.subscription
    LIFECYCLE.next(before.state, Action.UNDO_CANCELLATION)
    if before.cancellation.at is None:
        raise nothing_pending()
    event = SubscriptionCancellationUndone(
        subject_id=before.id, account_id=before.account_id, cancel_at=before.cancellation.at
    )
    undone = replace(before, cancellation=Cancellation())
    return await opened.note(tx, undone, action="subscription.undo", event=event)


async def undo_requested_cancellation(
    tx: Tx, command: UndoRequestedCancellation
) -> RequestedCancellation:
    """Undo the one cancellation that is meant, not another one that took its place.

    Refuses: `cancellation_unknown`, `nothing_pending`, and what `undo_cancellation` refuses.
    """
    asked = await cancellation_by_id(tx, command.cancellation_id)
    await lock_account(tx, asked.account_id)
    asked = await cancellation_by_id(tx, command.cancellation_id)
    if asked.state is not CancellationState.PENDING:
        raise nothing_pending()
    await undo_cancellation(
        tx,
        UndoCancellation(
            subscription_id=asked.subscription_id, expected_version=command.expected_version
        ),
    )
    return await cancellation_by_id(tx, command.cancellation_id)


async def undo_change(tx: Tx, command: UndoChange) -> Commanded:
    """Refuses: `subscription_unknown`, `version_stale`, `account_parked`, `state_forbids`,
    `nothing_pending`.
    """
    opened = await _open(tx, command, action="subscription.undo_change")
    before = opened.subscription
    LIFECYCLE.next(before.state, Action.UNDO_CHANGE)
    if before.pending_change is None:
        raise nothing_pending()
    event = SubscriptionChangeUndone(
        subject_id=before.id,
        account_id=before.account_id,
        effective_at=before.pending_change.effective_at,
    )
    undone = replace(before, pending_change=None)
    return await opened.note(tx, undone, action="subscription.undo", event=event)


async def _open(tx: Tx, command: UndoCancellation | UndoChange, *, action: str) -> Opened:
    opened = await open_subscription(
        tx, command.subscription_id, expected_version=command.expected_version
    )
    tx.audit(
        action, subject_type="subscription", subject_id=command.subscription_id, details=command
    )
    return opened
