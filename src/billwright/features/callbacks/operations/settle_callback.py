"""What is noted of a callback after a try?"""

from __future__ import annotations

from dataclasses import replace

from billwright.features.callbacks.model import Callback, CallbackState
from billwright.features.callbacks.rules.callback_effect import needs_person
from billwright.features.callbacks.sql.writes import update_callback
from billwright.features.payments.model import NewReviewTask, ReviewKind
from billwright.features.payments.operations.open_review_task import open_review_task
from billwright.features.payments.rules.next_check import next_check_at
from billwright.runtime.db.tx import Tx


async def end_callback(
    tx: Tx, callback: Callback, *, state: CallbackState, reason: str | None = None
) -> Callback:
    """Note that nothing is left to be done about a locked callback."""
    ended = replace(
        callback, state=state, next_attempt_at=None, last_error=reason, handled_at=tx.machine_now
    )
    await update_callback(tx, ended)
    tx.audit(
        "provider_callback.end",
        subject_type="provider_callback",
        subject_id=callback.id,
        details={"provider": callback.provider, "type": callback.type, "state": state},
    )
    return ended


async def put_off_callback(tx: Tx, callback: Callback, *, reason: str) -> Callback:
    """Leave a locked callback to its next try; after the last one a person looks at what concerns us."""
    next_attempt_at = next_check_at(callback.received_at, now=tx.machine_now)
    tried = replace(
        callback,
        state=CallbackState.WAITING,
        attempts=callback.attempts + 1,
        next_attempt_at=next_attempt_at,
        last_error=reason,
    )
    if next_attempt_at is not None:
        await update_callback(tx, tried)
        return tried
    if needs_person(callback, reason=reason):
        await _ask_a_person(tx, callback, reason=reason)
    return await end_callback(tx, tried, state=CallbackState.UNMATCHED, reason=reason)


async def _ask_a_person(tx: Tx, callback: Callback, *, reason: str) -> None:
    await open_review_task(
        tx,
        NewReviewTask(
            kind=ReviewKind.CALLBACK_UNMATCHED,
            subject_type="provider_callback",
            subject_id=callback.id,
            account_id=None,
            details={
                "provider": callback.provider,
                "event_id": callback.event_id,
                "type": callback.type,
                "reference": callback.reference,
                "provider_key": callback.provider_key,
                "reason": reason,
            },
            dedup_key=f"callback_unmatched:{callback.provider}:{callback.event_id}",
        ),
    )
