"""How does somebody take the audit log elsewhere?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict

from billwright.features.audit.model import AuditQuery, AuditRecord
from billwright.features.audit.sql.reads import list_entries
from billwright.runtime.db.tx import OpenTx

_AT_A_TIME = 500


async def export_audit_log(open_tx: OpenTx, query: AuditQuery) -> AsyncIterator[list[AuditRecord]]:
    """Record that the log is taken, then return all entries that a query asks for, newest first.

    They come in batches, each read when it is asked for and in a transaction of its own, so that a slow
    reader holds nothing. What is recorded meanwhile is newer than what has been read, and left out.
    """
    async with open_tx() as tx:
        wanted = {name: value for name, value in asdict(query).items() if value is not None}
        tx.audit("audit_log.export", subject_type="tenant", subject_id=tx.tenant_id, details=wanted)
    return _batches(open_tx, query)


async def _batches(open_tx: OpenTx, query: AuditQuery) -> AsyncIterator[list[AuditRecord]]:
    before = None
    while True:
        async with open_tx() as tx:
            batch = await list_entries(tx, query, before=before, limit=_AT_A_TIME)
        if batch:
            yield batch
        if len(batch) < _AT_A_TIME:
            return
        before = batch[-1].id
