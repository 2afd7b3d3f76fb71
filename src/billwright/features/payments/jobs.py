"""When are payments that hang in the air looked after?"""

from __future__ import annotations

from billwright.features.payments.operations.resolve_open_attempts import (
    resolve_open_attempts as resolve_batch,
)
from billwright.features.payments.port import PaymentProviders
from billwright.runtime.queue.registry import Sweep, Work


async def resolve_open_attempts(work: Work) -> int:
    """Look for the outcome of everything that is due for it; returns how many attempts that were."""
    providers = work.provider(PaymentProviders)
    resolved = 0
    while batch := await resolve_batch(work.tx, as_of=work.as_of, providers=providers):
        resolved += batch
    return resolved


SWEEPS = [Sweep(name="resolve_open_attempts", cron="* * * * *", run=resolve_open_attempts)]
