"""When are callbacks applied that could not be applied when they came?"""

from __future__ import annotations

from billwright.features.callbacks.operations.retry_callbacks import retry_callbacks as retry_batch
from billwright.features.payment_providers.port import PaymentProviders
from billwright.runtime.queue.registry import Sweep, Work
from billwright.runtime.secrets import SecretBox


async def retry_callbacks(work: Work) -> int:
    """Apply what providers told and could not be applied yet; returns how many were tried."""
    retried = 0
    while batch := await retry_batch(
        work.tx,
        as_of=work.as_of,
        database=work.database,
        providers=work.provider(PaymentProviders),
        box=work.provider(SecretBox),
    ):
        retried += batch
    return retried


SWEEPS = [Sweep(name="retry_callbacks", cron="* * * * *", run=retry_callbacks)]
