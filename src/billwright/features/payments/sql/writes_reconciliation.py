"""How is a run of reconciliation kept?"""

from __future__ import annotations

from billwright.features.payments.rules.reconciliation import Reconciliation
from billwright.runtime.db.tx import Tx


async def insert_reconciliation(tx: Tx, run: Reconciliation) -> None:
    """Store a run that has compared everything of its window."""
    row = {
        "id": run.id,
        "provider": run.provider,
        "since": run.window.since,
        "until": run.window.until,
        "compared": run.compared,
        "mended": run.mended,
        "differences": run.differences,
        "foreign_payments": run.foreign_payments,
        "finished_at": run.finished_at,
    }
    await tx.insert("reconciliation", [row])
