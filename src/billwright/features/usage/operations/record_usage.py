"""How does usage become known?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.usage.errors import usage_event_differs
from billwright.features.usage.model import NewUsage
from billwright.features.usage.rules.acceptance import refuse_unfit_events
from billwright.features.usage.sql.reads import recorded_events
from billwright.features.usage.sql.writes import insert_events
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordUsage:
    """What one subscription used, up to a thousand events at a time.

    The caller has found the subscription, and that it is the account's.
    """

    account_id: UUID
    subscription_id: UUID
    events: tuple[NewUsage, ...]


async def record_usage(tx: Tx, command: RecordUsage) -> int:
    """Record usage, each event once however often it is told; how many events were new.

    An event that was recorded with other values is an error of its source: all are refused, so that
    it can be told apart from a repetition. Refuses: `account_unknown`, `usage_events_too_many`,
    `usage_quantity_invalid`, `usage_event_differs`.
    """
    refuse_unfit_events(command.events)
    await lock_account(tx, command.account_id)
    inserted = await insert_events(
        tx,
        command.events,
        account_id=command.account_id,
        subscription_id=command.subscription_id,
    )
    if inserted < len(command.events):
        await _refuse_differing(tx, command.events, subscription_id=command.subscription_id)
    if inserted:
        tx.audit(
            "usage.record",
            subject_type="subscription",
            subject_id=command.subscription_id,
            details={"events": len(command.events), "new": inserted},
        )
    return inserted


async def _refuse_differing(tx: Tx, events: Sequence[NewUsage], *, subscription_id: UUID) -> None:
    # A statement of its own: the one before may have waited for what another transaction recorded,
    # and does not see it.
    recorded = await recorded_events(tx, [(event.source, event.event_id) for event in events])
    for event in events:
        if recorded[event.source, event.event_id] != (subscription_id, event):
            raise usage_event_differs(source=event.source, event_id=event.event_id)
