"""When is money sent back, and who finds out whether it has arrived?"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from billwright.features.payment_providers.port import PaymentProviders
from billwright.features.refunds.operations.execute_refund import EXECUTE_REFUND, execute_refund
from billwright.features.refunds.operations.resolve_open_refunds import (
    resolve_open_refunds as resolve_batch,
)
from billwright.runtime.queue.registry import Job, Sweep, Work


async def refund_reserved(work: Work, payload: Any) -> None:
    """Ask a provider to give back what was reserved by somebody who could not wait for it."""
    await execute_refund(
        work.tx, UUID(payload["refund_id"]), providers=work.provider(PaymentProviders)
    )


async def resolve_open_refunds(work: Work) -> int:
    """Look for the outcome of all refunds that are due for it; returns how many that were."""
    resolved = 0
    while batch := await resolve_batch(
        work.tx, as_of=work.as_of, providers=work.provider(PaymentProviders)
    ):
        resolved += batch
    return resolved


JOBS = [Job(EXECUTE_REFUND, refund_reserved)]

SWEEPS = [Sweep(name="resolve_open_refunds", cron="* * * * *", run=resolve_open_refunds)]
