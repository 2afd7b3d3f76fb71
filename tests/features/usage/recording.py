"""How does a test have usage recorded, of one subscription of any account?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.usage.model import NewUsage, UsagePlace
from billwright.features.usage.operations.record_usage import record_events
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordUsage:
    """What one subscription used; the caller has found it, and that it is the account's."""

    account_id: UUID
    subscription_id: UUID
    events: tuple[NewUsage, ...]


async def record_usage(tx: Tx, command: RecordUsage) -> int:
    """How many events were new. The lock gives the transaction the account's own time."""
    await lock_account(tx, command.account_id)
    place = UsagePlace(
        account_id=command.account_id, subscription_id=command.subscription_id, now=tx.now
    )
    return len(await record_events(tx, [(place, event) for event in command.events]))
