"""When is money asked for, and who looks after what hangs in the air?"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from billwright.features.invoicing.sql.reads import earliest_collection
from billwright.features.payment_providers.port import PaymentProviders
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
from billwright.features.payments.operations.detach_methods import (
    detach_methods as detach_batch,
)
from billwright.features.payments.operations.resolve_open_attempts import (
    resolve_open_attempts as resolve_batch,
)
from billwright.features.payments.operations.withdraw_waiting import (
    WITHDRAW_WAITING,
    withdraw_waiting,
)
from billwright.runtime.queue.registry import Job, Sweep, Work
from billwright.runtime.secrets import SecretBox


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


async def detach_methods(work: Work) -> int:
    """Let providers forget methods that were removed; returns how many were looked at."""
    providers, box = work.provider(PaymentProviders), work.provider(SecretBox)
    looked_at = 0
    while batch := await detach_batch(work.tx, as_of=work.as_of, providers=providers, box=box):
        looked_at += batch
    return looked_at


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


JOBS = [Job(COLLECT_ATTEMPT, collect_reserved), Job(WITHDRAW_WAITING, withdraw_settled)]

SWEEPS = [
    Sweep(
        name="collect_due_invoices",
        cron="* * * * *",
        run=collect_due_invoices,
        next_due=earliest_collection,
    ),
    Sweep(name="close_expired_pages", cron="* * * * *", run=close_expired_pages),
    Sweep(name="detach_methods", cron="* * * * *", run=detach_methods),
    Sweep(name="resolve_open_attempts", cron="* * * * *", run=resolve_open_attempts),
]
