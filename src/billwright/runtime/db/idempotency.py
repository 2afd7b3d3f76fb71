"""How does the database remember what was already done for a request?

The key is claimed and the answer stored in the transaction that makes the change, so that there is no
moment in which one exists without the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from billwright.runtime.db.errors import idempotency_key_in_use, idempotency_key_reused
from billwright.runtime.db.tx import Tx

_KEPT_FOR = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class NamedRequest:
    """What tells a repetition from another request; without a key nothing is remembered."""

    key: str | None
    digest: bytes
    operation: str


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The answer that was given the first time, with its HTTP status."""

    status: int
    body: bytes


async def claim(tx: Tx, request: NamedRequest) -> StoredResponse | None:
    """The stored answer of the same request, or none and the key is this transaction's.

    An expired key is taken over as if it had never been used. While another transaction holds the
    key, this waits for it, until the connection's lock timeout ends the transaction as `busy`.
    Refuses: `idempotency_key_reused`, `idempotency_key_in_use`.
    """
    if request.key is None:
        return None
    claimed = await tx.execute(
        """insert into idempotency_key as known
               (tenant_id, key, request_digest, operation, created_at, expires_at)
           values ($1, $2, $3, $4, $5, $6)
           on conflict (tenant_id, key) do update set
               request_digest = excluded.request_digest, operation = excluded.operation,
               response_status = null, response_body = null,
               created_at = excluded.created_at, expires_at = excluded.expires_at
           where known.expires_at <= excluded.created_at""",
        tx.tenant_id,
        request.key,
        request.digest,
        request.operation,
        tx.now,
        tx.now + _KEPT_FOR,
    )
    if claimed:
        return None
    row = await tx.fetch_row(
        """select request_digest, response_status, response_body from idempotency_key
           where tenant_id = $1 and key = $2""",
        tx.tenant_id,
        request.key,
    )
    if row is None or row["response_status"] is None:
        raise idempotency_key_in_use()
    if row["request_digest"] != request.digest:
        raise idempotency_key_reused()
    return StoredResponse(row["response_status"], row["response_body"])


async def store(tx: Tx, request: NamedRequest, *, response: StoredResponse) -> None:
    """Keep the answer for repetitions; it is there if and only if the change is."""
    if request.key is None:
        return
    await tx.execute(
        """update idempotency_key set response_status = $3, response_body = $4
           where tenant_id = $1 and key = $2""",
        tx.tenant_id,
        request.key,
        response.status,
        response.body,
    )


async def forget_expired(tx: Tx) -> int:
    """Delete the tenant's keys that have expired; returns how many."""
    return await tx.execute(
        "delete from idempotency_key where tenant_id = $1 and expires_at <= $2",
        tx.tenant_id,
        tx.now,
    )
