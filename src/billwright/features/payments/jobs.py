"""When is money asked for, and who looks after payments that hang in the air?"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog

from billwright.features.invoicing.sql.reads import earliest_collection
from billwright.features.payment_providers.port import (
    Capability,
    OutcomeUnknown,
    PaymentProviders,
    ProviderUnavailable,
)
from billwright.features.payments.operations.close_expired_pages import (
    close_expired_pages as close_batch,
)
from billwright.features.payments.operations.collect_attempt import (
    COLLECT_ATTEMPT,
    collect_attempt,
)
from billwright.features.payments.operations.collect_due_invoices import (
    collect_due_invoices as collect_batch,
)
from billwright.features.payments.operations.reconcile_provider import reconcile_provider
from billwright.features.payments.operations.resolve_open_attempts import (
    resolve_open_attempts as resolve_batch,
)
from billwright.features.payments.operations.withdraw_waiting import (
    WITHDRAW_WAITING,
    withdraw_waiting,
)
from billwright.features.payments.rules.reconciliation import window_after
from billwright.features.payments.sql.reads_reconciliation import last_compared_until
from billwright.runtime.queue.registry import Job, Sweep, Work
from billwright.runtime.secrets import SecretBox

_log = structlog.get_logger(__name__)


async def resolve_open_attempts(work: Work) -> int:
    """Look for the outcome of everything that is due for it; returns how many attempts that were."""
    providers, box = work.provider(PaymentProviders), work.provider(SecretBox)
    resolved = 0
    while batch := await resolve_batch(work.tx, as_of=work.as_of, providers=providers, box=box):
        resolved += batch
    return resolved


async def collect_due_invoices(work: Work) -> int:
    """Collect what is due, batch by batch; returns how many invoices were looked at."""
    providers, box = work.provider(PaymentProviders), work.provider(SecretBox)
    collected = 0
    while batch := await collect_batch(
        work.tx,
        as_of=work.as_of,
        test_clock_id=work.test_clock_id,
        providers=providers,
        box=box,
    ):
        collected += batch
    return collected


async def close_expired_pages(work: Work) -> int:
    """Stop waiting for payers who have not come; returns how many payments that were."""
    providers, box = work.provider(PaymentProviders), work.provider(SecretBox)
    closed = 0
    while batch := await close_batch(work.tx, as_of=work.as_of, providers=providers, box=box):
        closed += batch
    return closed


async def collect_reserved(work: Work, payload: Any) -> None:
    """Ask a provider for what was reserved by somebody who could not wait for it."""
    await collect_attempt(
        work.tx,
        UUID(payload["attempt_id"]),
        providers=work.provider(PaymentProviders),
        box=work.provider(SecretBox),
    )


async def withdraw_settled(work: Work, payload: Any) -> None:
    """Close what the payer of an invoice is waited for on."""
    await withdraw_waiting(
        work.tx,
        UUID(payload["invoice_id"]),
        providers=work.provider(PaymentProviders),
        box=work.provider(SecretBox),
    )


async def reconcile_providers(work: Work) -> int:
    """Compare what providers list with what is booked; returns how many payments were compared. One that
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


JOBS = [Job(COLLECT_ATTEMPT, collect_reserved), Job(WITHDRAW_WAITING, withdraw_settled)]

SWEEPS = [
    Sweep(
        name="collect_due_invoices",
        cron="* * * * *",
        run=collect_due_invoices,
        next_due=earliest_collection,
    ),
    Sweep(name="close_expired_pages", cron="* * * * *", run=close_expired_pages),
    Sweep(name="reconcile_providers", cron="17 3 * * *", run=reconcile_providers),
    Sweep(name="resolve_open_attempts", cron="* * * * *", run=resolve_open_attempts),
]
