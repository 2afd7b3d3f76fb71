"""When do billing days come?"""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

import structlog

from billwright.features.invoicing.operations.invoice_due_accounts import (
    invoice_due_accounts as invoice_batch,
)
from billwright.features.invoicing.operations.invoice_due_accounts import next_billing_day
from billwright.features.invoicing.operations.invoice_pending_charges import (
    INVOICE_PENDING_CHARGES,
    InvoicePendingCharges,
    invoice_pending_charges,
)
from billwright.runtime.queue.registry import Job, Sweep, Work

_log = structlog.get_logger(__name__)


async def invoice_due_accounts(work: Work) -> int:
    """Invoice every account whose billing day has come by `work.as_of`, batch by batch; each batch is
    one commit, so that a run that is killed continues where it was. Returns the number of accounts.
    """
    totals = Counter[str]()
    while True:
        async with work.tx() as tx:
            report = await invoice_batch(tx, as_of=work.as_of, test_clock_id=work.test_clock_id)
        if not report.accounts:
            break
        totals.update(
            accounts=report.accounts,
            documents=len(report.billed.documents),
            parked=len(report.parked),
        )
    if totals:
        _log.info("billing days", **totals)
    return totals["accounts"]


async def invoice_pending_of_account(work: Work, payload: Any) -> None:
    """Invoice what waits for an account's document, if anything still does."""
    async with work.tx() as tx:
        await invoice_pending_charges(
            tx, InvoicePendingCharges(account_id=UUID(payload["account_id"]))
        )


JOBS = [Job(INVOICE_PENDING_CHARGES, invoice_pending_of_account)]

SWEEPS = [
    Sweep(
        name="invoice_due_accounts",
        cron="* * * * *",
        run=invoice_due_accounts,
        next_due=next_billing_day,
    )
]
