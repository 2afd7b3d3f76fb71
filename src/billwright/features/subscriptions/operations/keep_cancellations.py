"""What is kept of who asked for a subscription's end, and of what came of it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from billwright.features.subscriptions.model import (
    Cancellation,
    CancellationReason,
    CancellationState,
    RequestedCancellation,
    Subscription,
)
from billwright.features.subscriptions.rules.transition import Transition
from billwright.features.subscriptions.sql.writes_cancellations import (
    conclude_cancellations,
    insert_cancellations,
    move_cancellations,
)
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


async def keep_cancellations(tx: Tx, transitions: Sequence[Transition]) -> None:
    """Keep every cancellation that steps asked for, moved, undid or made true, and every end that came
    by itself. One that another takes the place of is undone.
    """
    concerned = [
        one
        for one in transitions
        if one.before.cancellation != one.after.cancellation
        or one.before.ended_at != one.after.ended_at
    ]
    if not concerned:
        return
    undone: dict[UUID, datetime] = {}
    ended: dict[UUID, datetime] = {}
    moved: dict[UUID, datetime] = {}
    asked: list[RequestedCancellation] = []
    for one in concerned:
        before, after = one.before.cancellation, one.after.cancellation
        is_new = _request(before) != _request(after)
        if before.requested_at is not None and is_new:
            undone[one.after.id] = tx.now
        if after.requested_at is not None and is_new:
            asked.append(_asked(tx, one))
        elif one.after.ended_at is not None:
            ended[one.after.id] = one.after.ended_at
        elif after.at is not None:
            moved[one.after.id] = after.at
    await conclude_cancellations(tx, undone, state=CancellationState.UNDONE)
    await insert_cancellations(tx, asked)
    await conclude_cancellations(tx, ended, state=CancellationState.EFFECTIVE)
    await move_cancellations(tx, moved)


def _request(cancellation: Cancellation) -> Cancellation:
    """What was asked for, without what it came to."""
    return replace(cancellation, at=None, at_period_end=False)


def _asked(tx: Tx, transition: Transition) -> RequestedCancellation:
    after: Subscription = transition.after
    cancellation, ended_at = after.cancellation, after.ended_at
    assert cancellation.at is not None  # noqa: S101 - a cancellation says when
    assert cancellation.requested_at is not None  # noqa: S101 - the caller has looked
    return RequestedCancellation(
        id=new_id(),
        account_id=after.account_id,
        subscription_id=after.id,
        plan_code=transition.version.plan_code,
        state=CancellationState.EFFECTIVE if ended_at else CancellationState.PENDING,
        mode=cancellation.mode,
        cancel_at=cancellation.at,
        reason=cancellation.reason or CancellationReason.REQUESTED,
        feedback=cancellation.feedback,
        comment=cancellation.comment,
        proration=cancellation.proration,
        bills_final_usage=cancellation.bills_final_usage,
        actor=tx.actor,
        requested_at=cancellation.requested_at,
        effective_at=ended_at,
    )
