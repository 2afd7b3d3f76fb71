"""What have providers told of their own accord, and what is it about?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from billwright.features.callbacks.errors import callback_unknown
from billwright.features.callbacks.model import Callback, CallbackId, CallbackState
from billwright.features.payment_providers.model import EventKind
from billwright.runtime.db.tx import Tx

CALLBACK_COLUMNS = """c.id, c.provider, c.event_id, c.type, c.kind, c.reference, c.provider_key,
    c.body_sealed, c.state, c.attempts, c.next_attempt_at, c.last_error, c.happened_at, c.received_at,
    c.handled_at"""


async def callback_by_id(tx: Tx, callback_id: UUID) -> Callback:
    """One callback. Refuses: `callback_unknown`."""
    row = await tx.fetch_row(
        f"select {CALLBACK_COLUMNS} from provider_callback c where c.tenant_id = $1 and c.id = $2",
        tx.tenant_id,
        callback_id,
    )
    if row is None:
        raise callback_unknown(callback_id=callback_id)
    return callback_from_row(row)


async def list_callbacks(
    tx: Tx,
    *,
    before: UUID | None,
    limit: int,
    provider: str | None = None,
    state: CallbackState | None = None,
) -> list[Callback]:
    """Callbacks, newest first, that come after the one named `before` in that order."""
    rows = await tx.fetch(
        f"""select {CALLBACK_COLUMNS} from provider_callback c
            where c.tenant_id = $1 and ($2::uuid is null or c.id < $2)
                and ($4::text is null or c.provider = $4)
                and ($5::text is null or c.state = $5)
            order by c.id desc limit $3""",
        tx.tenant_id,
        before,
        limit,
        provider,
        state.value if state else None,
    )
    return [callback_from_row(row) for row in rows]


async def is_overtaken(
    tx: Tx, *, provider: str, references: Sequence[str], happened_at: datetime
) -> bool:
    """Whether something that happened to a payment method later has been applied before."""
    overtaken: bool = await tx.fetch_value(
        """select exists (select from provider_callback
               where tenant_id = $1 and provider = $2 and reference = any($3::text[])
                   and happened_at > $4 and kind = 'method' and state = 'handled')""",
        tx.tenant_id,
        provider,
        references,
        happened_at,
    )
    return overtaken


def callback_from_row(row: asyncpg.Record) -> Callback:
    """A callback from `CALLBACK_COLUMNS`."""
    return Callback(
        id=CallbackId(row["id"]),
        provider=row["provider"],
        event_id=row["event_id"],
        type=row["type"],
        kind=EventKind(row["kind"]),
        reference=row["reference"],
        provider_key=row["provider_key"],
        body_sealed=row["body_sealed"],
        state=CallbackState(row["state"]),
        attempts=row["attempts"],
        next_attempt_at=row["next_attempt_at"],
        last_error=row["last_error"],
        happened_at=row["happened_at"],
        received_at=row["received_at"],
        handled_at=row["handled_at"],
    )
