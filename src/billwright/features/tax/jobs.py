"""When is a register asked about VAT ids?"""

from __future__ import annotations

from billwright.features.tax.model import VatIdStatus
from billwright.features.tax.operations.check_due_vat_ids import (
    check_due_vat_ids as check_batch,
)
from billwright.features.tax.operations.request_vat_id_checks import CHECK_VAT_IDS
from billwright.features.tax.port import VatIdRegister
from billwright.runtime.queue.registry import Job, Sweep, Work


async def check_due_vat_ids(work: Work) -> int:
    """Ask about the ids that are due, batch by batch; returns how many questions were answered.

    A batch without a single answer ends the run: the register is away, and the next run finds out
    whether it is back. An installation without a register leaves ids unchecked.
    """
    register: VatIdRegister | None = work.providers.get(VatIdRegister)
    if register is None:
        return 0
    answered = 0
    while batch := await check_batch(work.tx, register=register):
        answers = [status for status in batch if status is not VatIdStatus.UNAVAILABLE]
        if not answers:
            break
        answered += len(answers)
    return answered


async def check_vat_ids(work: Work, _payload: None) -> None:
    """Ask about what has just been given."""
    await check_due_vat_ids(work)


# Not about billing time: registers live in real time, also for accounts on test clocks.
SWEEPS = [Sweep(name="check_due_vat_ids", cron="*/5 * * * *", run=check_due_vat_ids)]
JOBS = [Job(name=CHECK_VAT_IDS, run=check_vat_ids)]
