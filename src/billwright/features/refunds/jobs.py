"""When is money sent back, who finds out whether it has arrived, and who looks into providers' books?"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog

from billwright.features.payment_providers.port import (
    Capability,
    OutcomeUnknown,
    PaymentProviders,
    ProviderUnavailable,
)
from billwright.features.payments.rules.reconciliation import window_after
from billwright.features.payments.sql.reads_reconciliation import last_compared_until
from billwright.features.refunds.operations.execute_refund import EXECUTE_REFUND, execute_refund
from billwright.features.refunds.operations.reconcile_provider import reconcile_provider
from billwright.features.refunds.operations.resolve_open_refunds import (
    resolve_open_refunds as resolve_batch,
)
from billwright.runtime.queue.registry import Job, Sweep, Work
from billwright.runtime.secrets import SecretBox

_log = structlog.get_logger(__name__)


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


async def reconcile_providers(work: Work) -> int:
    """Compare what providers list with what is booked; returns how many things were compared. One that
    cannot be asked is compared the next time, from where it was left.
    """
    compared = 0
    for provider in work.provider(PaymentProviders).values():
        if Capability.LISTING not in provider.capabilities:
            continue
        async with work.tx() as tx:
            last_until = await last_compared_until(tx, provider.name)
        window = window_after(last_until, now=work.as_of)
        try:
            done = await reconcile_provider(
                work.tx, window, provider=provider, box=work.provider(SecretBox)
            )
        except (ProviderUnavailable, OutcomeUnknown) as reason:
            _log.warning("books not compared", provider=provider.name, reason=str(reason))
            continue
        _log.info("books compared", provider=provider.name, differences=done.run.differences)
        compared += done.run.compared
    return compared


JOBS = [Job(EXECUTE_REFUND, refund_reserved)]

SWEEPS = [
    Sweep(name="reconcile_providers", cron="17 3 * * *", run=reconcile_providers),
    Sweep(name="resolve_open_refunds", cron="* * * * *", run=resolve_open_refunds),
]
