"""How are callbacks kept, and taken up again?"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from billwright.features.callbacks.model import Callback, CallbackId
from billwright.features.callbacks.sql.reads import CALLBACK_COLUMNS, callback_from_row
from billwright.features.payments.rules.next_check import next_check_at
from billwright.runtime.db.tx import Tx

# For one whose last try is being made: if it is never finished, somebody makes it again.
_LAST_TRY_LASTS = timedelta(days=1)


async def insert_callback(tx: Tx, callback: Callback) -> bool:
    """Store a callback unless its event is there already; whether it was new."""
    inserted = await tx.execute(
        """insert into provider_callback (tenant_id, id, provider, event_id, type, kind, reference,
               provider_key, body_sealed, state, attempts, next_attempt_at, last_error, happened_at,
               received_at, handled_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
           on conflict (tenant_id, provider, event_id) do nothing""",
        tx.tenant_id,
        callback.id,
        callback.provider,
        callback.event_id,
        callback.type,
        callback.kind.value,
        callback.reference,
        callback.provider_key,
        callback.body_sealed,
        callback.state.value,
        callback.attempts,
        callback.next_attempt_at,
        callback.last_error,
        callback.happened_at,
        callback.received_at,
        callback.handled_at,
    )
    return inserted == 1


async def claim_due_callbacks(tx: Tx, *, as_of: datetime, limit: int) -> list[CallbackId]:
    """Take up to `limit` callbacks that are to be tried by `as_of`, the longest waiting first, and set
    when each is tried next, so that a worker that dies here leaves them to the next one.
    """
    rows = await tx.fetch(
        """select id, received_at from provider_callback
           where tenant_id = $1 and next_attempt_at <= $2
           order by next_attempt_at limit $3 for update skip locked""",
        tx.tenant_id,
        as_of,
        limit,
    )
    await tx.execute(
        """update provider_callback c set next_attempt_at = u.next_attempt_at
           from unnest($2::uuid[], $3::timestamptz[]) as u (id, next_attempt_at)
           where c.tenant_id = $1 and c.id = u.id""",
        tx.tenant_id,
        [row["id"] for row in rows],
        [next_check_at(row["received_at"], now=as_of) or as_of + _LAST_TRY_LASTS for row in rows],
    )
    return [CallbackId(row["id"]) for row in rows]


async def lock_callback(tx: Tx, callback_id: UUID) -> Callback:
    """One callback that nobody else applies meanwhile; whoever does already is waited for."""
    row = await tx.fetch_row(
        f"""select {CALLBACK_COLUMNS} from provider_callback c
            where c.tenant_id = $1 and c.id = $2 for update""",
        tx.tenant_id,
        callback_id,
    )
    if row is None:
        raise LookupError(f"there is no callback {callback_id}")
    return callback_from_row(row)


async def update_callback(tx: Tx, callback: Callback) -> None:
    """Store what became of a callback; it is locked."""
    await tx.execute(
        """update provider_callback
           set state = $3, attempts = $4, next_attempt_at = $5, last_error = $6, handled_at = $7
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        callback.id,
        callback.state.value,
        callback.attempts,
        callback.next_attempt_at,
        callback.last_error,
        callback.handled_at,
    )
