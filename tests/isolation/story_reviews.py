"""What leaves a row in the tables of reviews and reconciliation?"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from billwright.features.payments.model import NewReviewTask, ReviewKind
from billwright.features.payments.operations.open_review_task import open_review_task
from billwright.features.payments.rules.reconciliation import Reconciliation, Window
from billwright.features.payments.sql.writes_reconciliation import insert_reconciliation
from billwright.kernel.ids import new_id
from tests.conftest import Tenant


async def differ_and_reconcile(tenant: Tenant, account_id: UUID) -> None:
    """A difference is found, and the books were compared."""
    async with tenant.tx() as tx:
        await open_review_task(
            tx,
            NewReviewTask(
                kind=ReviewKind.RECONCILIATION_DIFFERENCE,
                subject_type="payment",
                subject_id=None,
                account_id=account_id,
                details={"difference": "unknown_here"},
                dedup_key="reconciliation:unknown_here:sandbox:1",
            ),
        )
        await insert_reconciliation(
            tx,
            Reconciliation(
                id=new_id(),
                provider="sandbox",
                window=Window(tx.now - timedelta(days=3), tx.now),
                compared=1,
                mended=0,
                differences=1,
                foreign_payments=0,
                finished_at=tx.now,
            ),
        )
